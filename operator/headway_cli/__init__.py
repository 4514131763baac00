"""The command line ``headway`` (also ``kubectl headway``): one module per verb, heavy imports made lazily."""
