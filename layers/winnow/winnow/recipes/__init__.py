"""Recipes: how a version is made. The only importer of spaCy and thinc."""
