"""Recipes: how a version is made. The only importer of spaCy and thinc."""

RECIPES = ("linear", "cnn")
"""Their names, the default first. Here, since the API checks them where spaCy isn't loaded."""
