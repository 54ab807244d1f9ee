//! Tests which addresses are requests, and which are refused.

use super::*;

fn resolve(reference: &str) -> Result<Route, u16> {
    Ok(Route::Resolve(reference.parse().unwrap()))
}

#[test]
fn an_address_is_a_request_or_is_refused() {
    let digest = Digest::of(b"x");
    let by_digest = format!("/v1/org/acme/mcps/tool/resolve?ref=sha256%3A{}", digest.hex());
    let manifest = format!("/v1/org/acme/artifacts/{digest}/manifest");
    let bundle = format!("/v1/org/acme/artifacts/sha256%3a{}/bundle", digest.hex());
    let twice = format!("/v1/org/acme/artifacts/sha256%253a{}/bundle", digest.hex());
    let evidence = format!("/v1/org/acme/artifacts/{digest}/evidence/sbom");
    let statements = format!("/v1/org/acme/mcps/tool/statements?manifest={digest}&ref=1.0.0+b");
    let cases: [(&str, Result<Route, u16>); 42] = [
        ("/healthz", Ok(Route::Health)),
        ("/v1/catalog?page=2", Ok(Route::Catalog)),
        ("/v1/org/acme/mcps/tool/resolve?ref=1.0.0", resolve("acme/tool@1.0.0")),
        ("/v1/org/acme/mcps/tool/resolve?x=1&ref=latest&y", resolve("acme/tool@latest")),
        ("/v1/org/acme/mcps/tool/resolve?ref=1.0.0-rc.1+b%2B7", resolve("acme/tool@1.0.0-rc.1+b+7")),
        ("/v1/org/%61cme/mcps/to%6Fl/resolve?ref=%31", resolve("acme/tool@1")),
        (&by_digest, resolve(&format!("acme/tool@{digest}"))),
        (&manifest, Ok(Route::Artifact(Artifact::Manifest, digest))),
        (&bundle, Ok(Route::Artifact(Artifact::Bundle, digest))),
        (&statements, Ok(Route::Statements("acme/tool".parse().unwrap(), "1.0.0+b".parse().unwrap(), digest))),
        ("/v1/org/acme/mcps/tool/statements?ref=1.0.0", Err(400)),
        (&format!("/v1/org/acme/mcps/tool/statements?manifest={digest}"), Err(400)),
        (&format!("{statements}&manifest={digest}"), Err(400)),
        ("/v1/org/acme/mcps/tool/statements?ref=..%2f..&manifest=sha256:12", Err(400)),
        ("", Err(404)),
        ("/", Err(404)),
        ("/healthz/", Err(404)),
        ("//healthz", Err(404)),
        ("/v1/catalog/x", Err(404)),
        ("/v2/catalog", Err(404)),
        ("/v1/org/acme/mcps/tool", Err(404)),
        (&evidence, Err(404)),
        ("/packages/acme/tool/1.0.0.json", Err(404)),
        ("/v1/org/acme/mcps/tool/resolve", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=1&ref=2", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=a%2Fb", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=1%", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=%4", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=%zz", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=%+1", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=%ff", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=1%00", Err(400)),
        ("/v1/org/acme/mcps/tool/resolve?ref=sha256:12", Err(400)),
        ("/v1/org/../mcps/tool/resolve?ref=1", Err(400)),
        ("/v1/org/%2e%2e/mcps/tool/resolve?ref=1", Err(400)),
        ("/v1/org/acme/mcps/..%2f..%2fetc/resolve?ref=1", Err(400)),
        ("/v1/org//mcps/tool/resolve?ref=1", Err(400)),
        ("/v1/org/acme/artifacts/sha256:12/bundle", Err(400)),
        ("/v1/org/acme/artifacts/..%2f..%2fpasswd/manifest", Err(400)),
        (&twice, Err(400)),
    ];
    for (address, expected) in cases {
        let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
        let found = route(path, query).map_err(|rejection| rejection.status.as_u16());
        assert_eq!(found, expected, "{address}");
    }
}
