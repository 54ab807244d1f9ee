"""A client on the Python SDK: does what a test asks and prints what the SDK's own API showed, as JSON.

Its one argument is the session: command, args, cwd, mode, calls, calls_first, and logs, which is the number of log
messages to wait for. Its twin on the Rust SDK is `rust-client`.
"""

import json
import sys
import warnings

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.shared.exceptions import MCPDeprecationWarning

# Far longer than any step takes, seconds.
PATIENCE = 40


def shown(model):
    return model and model.model_dump(mode="json", by_alias=True, exclude_unset=True)


async def call(client, name, arguments):
    try:
        return shown(await client.call_tool(name, arguments))
    except MCPError as error:
        return {"error": shown(error.error)}


async def list_tools(client):
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += map(shown, page.tools)
        cursor = page.next_cursor
        if cursor is None:
            return tools


async def hear(logged, count):
    seen = []
    with anyio.move_on_after(PATIENCE):
        while len(seen) < count:
            seen.append(shown(await logged.receive()))
    return seen


async def run(session):
    logs, logged = anyio.create_memory_object_stream(100)
    server = StdioServerParameters(command=session["command"], args=session["args"], cwd=session["cwd"])
    async with Client(server, mode=session["mode"], logging_callback=logs.send) as client:
        tools = None if session["calls_first"] else await list_tools(client)
        calls = [await call(client, *wanted) for wanted in session["calls"]]
        tools = tools or await list_tools(client)
        seen = await hear(logged, session["logs"])
        told = {
            "version": client.protocol_version,
            "server": shown(client.server_info),
            "capabilities": shown(client.server_capabilities),
            "instructions": client.instructions,
        }
    while logged.statistics().current_buffer_used:
        seen.append(shown(logged.receive_nowait()))
    return told | {"tools": tools, "calls": calls, "logs": seen}


async def main():
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    with anyio.fail_after(2 * PATIENCE):
        print(json.dumps(await run(json.loads(sys.argv[1]))))


anyio.run(main)
