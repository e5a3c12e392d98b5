"""Answers to requests whose body was never asked for."""

from starlette.types import Message, Receive, Scope, Send

_EXPECT = (b"expect", b"100-continue")
_CLOSE = (b"connection", b"close")


def closing_where_unread(scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Have the connection closed after an answer to a client that still waits to send its body.

    boto3 sends a body to S3 only after *100 Continue*. Refused before, it sends none and uses the connection
    again, where uvicorn takes the next request for the body, and answers it with a bare 400. S3 closes it.
    """
    if not any((name, value.lower()) == _EXPECT for name, value in scope.get("headers", ())):
        return receive, send
    asked = False

    async def asking() -> Message:
        nonlocal asked
        asked = True
        return await receive()

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start" and not asked:
            message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await send(message)

    return asking, closing
