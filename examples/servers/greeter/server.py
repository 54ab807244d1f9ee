"""A small MCP server over stdio, with nothing but Python's standard library.

It speaks both eras of the protocol: the handshake (`initialize`) and the revision 2026-07-28 (`server/discover`,
every request names its version in `_meta`).
"""

import json
import sys

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
SERVER = {"name": "greeter", "version": "1.0.0"}
INSTRUCTIONS = "Greets people by name."
TOOLS = [
    {
        "name": "greet",
        "description": "Says hello to somebody.",
        "inputSchema": {
            "type": "object",
            "properties": {"name": {"type": "string", "description": "Who to greet"}},
            "required": ["name"],
        },
    }
]


class Failure(Exception):
    """A JSON-RPC error."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.body = {"code": code, "message": message}
        if data is not None:
            self.body["data"] = data


def initialize(params):
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[0],
        "capabilities": {"tools": {}},
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


def discover(params):
    return {
        "supportedVersions": [MODERN],
        "capabilities": {"tools": {}},
        "instructions": INSTRUCTIONS,
        "ttlMs": 3600000,
        "cacheScope": "public",
        "_meta": {"io.modelcontextprotocol/serverInfo": SERVER},
    }


def list_tools(params):
    return {"tools": TOOLS}


def call_tool(params):
    name, arguments = params.get("name"), params.get("arguments") or {}
    if name != "greet":
        raise Failure(-32602, f"unknown tool: {name}")
    if not isinstance(arguments.get("name"), str):
        return {"content": [{"type": "text", "text": "`name` must be a string"}], "isError": True}
    return {"content": [{"type": "text", "text": f"Hello, {arguments['name']}!"}]}


METHODS = {
    "initialize": initialize,
    "server/discover": discover,
    "tools/list": list_tools,
    "tools/call": call_tool,
    "ping": lambda params: {},
}


def answer(message):
    """The response to one message, or None when it wants none."""
    if "id" not in message or "method" not in message:
        return None
    response = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        params = message.get("params") or {}
        version = (params.get("_meta") or {}).get(VERSION_KEY)
        if version not in (None, MODERN):
            raise Failure(-32022, f"unsupported protocol version: {version}", {"supported": [MODERN]})
        if message["method"] not in METHODS:
            raise Failure(-32601, f"unknown method: {message['method']}")
        result = METHODS[message["method"]](params)
        response["result"] = {"resultType": "complete", **result} if version else result
    except Failure as failure:
        response["error"] = failure.body
    return response


def main():
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            response = answer(json.loads(line))
        except ValueError:
            response = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "not JSON"}}
        if response is not None:
            print(json.dumps(response), flush=True)


if __name__ == "__main__":
    main()
