"""The command line and the pytest plugin: words in, tables and an exit code out."""
