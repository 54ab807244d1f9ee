# What is outside: answers HTTP, counts and echoes bytes, and connects to itself as a proxy: with TLS for the port of
# `https`, if it is given a certificate. Prints its port.
import asyncio
import ssl
import sys


async def serve(reader, writer):
    line = await reader.readline()
    if line.startswith(b"CONNECT "):
        head = [line.decode().strip()]
        while (more := (await reader.readline()).decode().strip()):
            head.append(more)
        print("; ".join(head), flush=True)
        if b"refused" in line:
            writer.write(b"HTTP/1.1 407 no\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 yes\r\n\r\n")
        if b":8443 " in line:
            writer.write(b"no TLS here\n")
            writer.close()
            return
        if b":443 " in line and len(sys.argv) > 2:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(sys.argv[2])
            await writer.start_tls(context)
        line = await reader.readline()
    if line.startswith(b"echo "):
        writer.write(line[5:])
        await reader.read()
    elif line == b"count\n":
        count = 0
        while piece := await reader.read(65536):
            count += len(piece)
        writer.write(b"%d" % count)
    else:
        host = ""
        while (more := (await reader.readline()).decode().strip()):
            if more.lower().startswith("host:"):
                host = more[5:].strip()
        body = f"{line.decode().strip()} at {host.split(':')[0]}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
