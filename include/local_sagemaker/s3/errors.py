"""S3's errors, which are XML (its reference, Error responses)."""

import uuid
from xml.sax.saxutils import escape

from starlette.responses import Response


class S3Refusal(Exception):
    """An answer that is an error; `members` are the elements beside code and message."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members

    def response(self) -> Response:
        """The error on the wire."""
        request_id = uuid.uuid4().hex[:16].upper()
        fields = {"Code": self.code, "Message": self.message, **self.members, "RequestId": request_id}
        elements = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
        return Response(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{elements}</Error>',
            status_code=self.status,
            media_type="application/xml",
            headers={"x-amz-request-id": request_id},
        )
