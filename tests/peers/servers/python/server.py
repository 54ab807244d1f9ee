"""An MCP server on the Python SDK, which speaks both eras: the handshake's, and that of 2026-07-28.

It declares logging, so that a notification to the client can go through it.
"""

import warnings

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPDeprecationWarning

# One white pixel.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
WEATHER = {
    "type": "object",
    "properties": {"celsius": {"type": "number"}, "sky": {"type": "string"}},
    "required": ["celsius", "sky"],
}


def text(value, **more):
    return types.CallToolResult(content=[types.TextContent(type="text", text=value)], **more)


def arguments(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


TOOLS = [
    types.Tool(
        name="echo",
        description="Gives back what it was given: äöü, 漢字, \u2028, \"quotes\".",
        input_schema=arguments(text={"type": "string"}),
        annotations=types.ToolAnnotations(title="Echo", read_only_hint=True),
    ),
    types.Tool(
        name="add",
        title="Add",
        description="Adds two numbers.",
        input_schema=arguments(a={"type": "number"}, b={"type": "number"}),
    ),
    types.Tool(name="weather", input_schema=arguments(place={"type": "string"}), output_schema=WEATHER),
    types.Tool(name="image", description="", input_schema=arguments()),
    types.Tool(name="fail", description="Always fails.", input_schema=arguments()),
]


async def list_tools(_context, _params):
    return types.ListToolsResult(tools=TOOLS)


async def call_tool(_context, params):
    given = params.arguments or {}
    match params.name:
        case "echo":
            return text(given["text"])
        case "add":
            return text(str(given["a"] + given["b"]), _meta={"example.com/exact": 0.1})
        case "weather":
            weather = {"celsius": 21.50, "sky": "clear"}
            return text(f"21.5 degrees in {given['place']}", structured_content=weather)
        case "image":
            image = types.ImageContent(type="image", data=IMAGE, mime_type="image/png")
            return types.CallToolResult(content=[image])
        case _:
            return text(f"{params.name}: Permission denied", is_error=True)


async def set_logging_level(_context, _params):
    return types.EmptyResult()


async def main():
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    server = Server(
        "python-peer",
        version="1.0.0",
        instructions="Ask for the weather.\n\nNever for the time.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_set_logging_level=set_logging_level,
    )
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
