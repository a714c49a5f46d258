"""The HTTP side: from an API Gateway event to a checked request, and from an answer or an error back."""

from winnow.http.endpoint import Answer, Headers, Request, Source, endpoint

__all__ = ["Answer", "Headers", "Request", "Source", "endpoint"]
