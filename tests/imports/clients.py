# A server that gets a page of two hosts by every client that it has, and says what came of each.
import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request

packages, node, certificate = sys.argv[1:]
sys.path.insert(0, packages)
# What a client of a company is told, too.
for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"):
    os.environ[name] = certificate

import aiohttp
import httpx
import requests

TRUST = ssl.create_default_context(cafile=certificate)


async def with_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url, ssl=TRUST) as answer:
        return await answer.text()


async def with_httpx(url):
    async with httpx.AsyncClient(verify=TRUST) as client:
        return (await client.get(url)).text


async def with_streams(url):
    scheme, _, host, path = url.split("/", 3)
    tls = {"port": 443, "ssl": TRUST} if scheme == "https:" else {"port": 80}
    reader, writer = await asyncio.open_connection(host, **tls)
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return (await reader.read()).decode().splitlines()[-1]


def program(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=node, timeout=60)
    return done.stdout.decode().strip()


PYTHON = {
    "requests": lambda url: requests.get(url, timeout=30).text,
    "httpx": lambda url: httpx.get(url, verify=TRUST, timeout=30).text,
    "httpx, async": lambda url: asyncio.run(with_httpx(url)),
    "aiohttp": lambda url: asyncio.run(with_aiohttp(url)),
    "asyncio": lambda url: asyncio.run(with_streams(url)),
    "urllib": lambda url: urllib.request.urlopen(url, context=TRUST if url.startswith("https") else None).read().decode(),
}
NODE = {
    "fetch": "fetch(url).then(a => a.text())",
    "http.get": "new Promise((yes, no) => require(url.split(':')[0]).get(url, a => a.on('data', d => yes(`${d}`))).on('error', no))",
    "axios": "require('axios').get(url).then(a => a.data)",
    "undici": "require('undici').request(url).then(a => a.body.text())",
    "node-fetch": "import('node-fetch').then(m => m.default(url)).then(a => a.text())",
    "got": "import('got').then(m => m.got(url, { retry: { limit: 0 } }).text())",
}
END = ".then(console.log, e => console.log(e.cause?.message ?? e.message))"
GO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go-client")
PROGRAMS = {"Go's net/http": [GO], "curl": ["curl", "-sS"], "wget": ["wget", "-O-", "--tries=1", "-nv", "--ca-certificate", certificate]}

for host in ("api.example.com", "evil.example"):
    for scheme in ("https", "http"):
        url = f"{scheme}://{host}/page"
        tries = {name: (lambda get=get: get(url)) for name, get in PYTHON.items()}
        for name, code in NODE.items():
            tries[name] = lambda code=code: program("node", "-e", f"const url = '{url}'; {code}{END}")
        for name, words in PROGRAMS.items():
            if shutil.which(words[0]):
                tries[name] = lambda words=words: program(*words, url)
        for name, get in tries.items():
            try:
                outcome = get()
            except Exception as error:
                outcome = f"{type(error).__name__} {error}"
            print(f"{name} {url}: {outcome}".replace("\n", " "), flush=True)
