"""Winnow: trains, versions and serves text classifiers on AWS, with nothing running when nobody asks."""
