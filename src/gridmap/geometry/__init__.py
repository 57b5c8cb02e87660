"""The exact kernel; knows no banks."""
