"""The laws, in families: what each one states, how far rounding may take it, and how it is measured."""
