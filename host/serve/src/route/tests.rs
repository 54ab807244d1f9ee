//! Tests which addresses are requests, and which are refused.

use super::*;

fn resolve(reference: &str) -> Result<Route, u16> {
    Ok(Route::Resolve(reference.parse().unwrap()))
}

fn servers(change: impl FnOnce(&mut ServerQuery)) -> Result<Route, u16> {
    let mut query = ServerQuery { limit: LIMIT, ..ServerQuery::default() };
    change(&mut query);
    Ok(Route::Servers(query))
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
    let cases: [(&str, Result<Route, u16>); 55] = [
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
        ("/v0.1/servers", servers(|_| ())),
        ("/v0.1/servers?cursor=&search=&version=", servers(|_| ())),
        (
            "/v0.1/servers?limit=500&search=Tool&include_deleted=true",
            servers(|query| {
                (query.limit, query.search, query.deleted_too) = (100, Some("tool".to_owned()), true);
            }),
        ),
        (
            "/v0.1/servers?cursor=acme%2Ftool%401.0.0&version=latest",
            servers(|query| {
                query.after = Some(("acme/tool".parse().unwrap(), "1.0.0".parse().unwrap()));
                query.version = Some(Selector::Latest);
            }),
        ),
        ("/v0.1/servers/acme%2Ftool/versions", Ok(Route::ServerVersions("acme/tool".parse().unwrap(), false))),
        ("/v0.1/servers/acme%2Ftool/versions/1", Ok(Route::Server("acme/tool@1".parse().unwrap(), false))),
        (
            "/v0.1/servers/acme%2Ftool/versions/latest?include_deleted=true",
            Ok(Route::Server("acme/tool@latest".parse().unwrap(), true)),
        ),
        ("/v0.1/servers?cursor=acme%2Ftool%40latest", Err(400)),
        ("/v0.1/servers?limit=-1", Err(400)),
        ("/v0.1/servers/acme/tool/versions", Err(404)),
        ("/v0.1/servers/acme%2F..%2Ftool/versions", Err(400)),
        ("/v0.1/servers/acme%252Ftool/versions", Err(400)),
        ("/v0/servers", Err(404)),
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
