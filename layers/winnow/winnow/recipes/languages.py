"""The languages that a recipe can use: spaCy's codes whose tokenizer needs no other package.

Without spaCy, because the API checks the code and doesn't have spaCy. A test compares the list with spaCy's. Left out are ja, ko, th and
vi, whose tokenizers need packages that the layer doesn't have, and zh, whose tokenizer would only split single characters
(https://spacy.io/usage/models#languages).
"""

LANGUAGES = (
    *("af", "am", "ar", "az", "bg", "bn", "bo", "ca", "cs", "da", "de", "dsb", "el", "en", "es", "et", "eu", "fa", "fi", "fo"),
    *("fr", "ga", "gd", "grc", "gu", "he", "hi", "hr", "hsb", "ht", "hu", "hy", "id", "is", "it", "kmr", "kn", "ky", "la", "lb"),
    *("lg", "lij", "lt", "lv", "mk", "ml", "mr", "ms", "nb", "ne", "nl", "nn", "pl", "pt", "ro", "ru", "sa", "si", "sk", "sl"),
    *("sq", "sr", "sv", "ta", "te", "ti", "tl", "tn", "tr", "tt", "uk", "ur", "xx", "yo"),
)
