"""The laws, in families: what each says, how far rounding may take it, and how it is measured."""
