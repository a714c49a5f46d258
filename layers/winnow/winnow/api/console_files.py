"""The files of the console, with their media types. console/ makes them, and layers/docs puts them into the package winnow_docs."""

FOLDER = "console"
PAGE = "index.html"
MEDIA_TYPES = {
    PAGE: "text/html; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "sample.json": "application/json",
}
# The files that the page loads from console/NAME.
FILES = tuple(name for name in MEDIA_TYPES if name != PAGE)
