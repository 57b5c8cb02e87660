"""Why ground lies in its grid, and what the alternatives would cost."""
