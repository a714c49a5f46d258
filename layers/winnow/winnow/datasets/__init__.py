"""Data sets: reading their formats, checking them, and parting them into training and test examples."""
