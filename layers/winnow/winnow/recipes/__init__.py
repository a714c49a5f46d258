"""Recipes: how a version is made. The only importer of spaCy and thinc."""

RECIPES = ("linear", "cnn", "sentence", "best")
"""Their names, the default first. Here, since the API checks them where spaCy isn't loaded."""

OF_ENCODER = ("sentence", "best")
"""Those that need a sentence encoder."""
