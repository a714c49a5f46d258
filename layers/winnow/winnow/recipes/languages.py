"""The languages a recipe can start from: spaCy's codes whose tokenizer needs no further package.

Without spaCy, since the API checks the code where spaCy isn't loaded; a test holds the list against spaCy's own.
Left out: ja, ko, th and vi, whose tokenizers need packages that the layer doesn't carry, and zh, whose tokenizer without such a package
cuts a text into single characters (https://spacy.io/usage/models#languages).
"""

LANGUAGES = (
    *("af", "am", "ar", "az", "bg", "bn", "bo", "ca", "cs", "da", "de", "dsb", "el", "en", "es", "et", "eu", "fa", "fi", "fo"),
    *("fr", "ga", "gd", "grc", "gu", "he", "hi", "hr", "hsb", "ht", "hu", "hy", "id", "is", "it", "kmr", "kn", "ky", "la", "lb"),
    *("lg", "lij", "lt", "lv", "mk", "ml", "mr", "ms", "nb", "ne", "nl", "nn", "pl", "pt", "ro", "ru", "sa", "si", "sk", "sl"),
    *("sq", "sr", "sv", "ta", "te", "ti", "tl", "tn", "tr", "tt", "uk", "ur", "xx", "yo"),
)
