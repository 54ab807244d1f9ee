"""Judges every bundle of a folder by Python's sigstore, and prints one verdict a line: a name, a tab, `ok` or why not.

The folder has `artifact`, `root.json`, and bundles as `NAME.sigstore.json`. Nothing is fetched.
"""

import pathlib
import sys

from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

folder, identity, issuer = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
artifact = (folder / "artifact").read_bytes()
verifier = Verifier(trusted_root=TrustedRoot.from_file(str(folder / "root.json")))
who = Identity(identity=identity, issuer=issuer)
for path in sorted(folder.glob("*.sigstore.json")):
    try:
        verifier.verify_artifact(artifact, Bundle.from_json(path.read_bytes()), who)
        verdict = "ok"
    except Exception as error:  # whatever it is, it is a refusal
        verdict = f"{type(error).__name__}: {error}".replace("\n", " ")
    print(f"{path.name.removesuffix('.sigstore.json')}\t{verdict}")
