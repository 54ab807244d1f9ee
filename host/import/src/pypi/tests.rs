//! What is taken of pip's report; whole imports are in `tests/import`.

use serde_json::json;

use super::*;

fn item(url: &str, info: Value) -> Result<LockedPackage, String> {
    let item =
        json!({"metadata": {"name": "x", "version": "1.0"}, "download_info": {"url": url, "archive_info": info}});
    locked(&item).map_err(|error| error.to_string())
}

#[test]
fn each_file_has_its_name_and_its_hash() {
    let hash = "0".repeat(64);
    for (url, info, file) in [
        (
            "https://x.example/a/x-1.0-py3-none-any.whl#sha256=1",
            json!({"hashes": {"sha256": hash}}),
            "x-1.0-py3-none-any.whl",
        ),
        (
            "file:///w/x-1.0%2Bcpu-cp311-cp311-linux_x86_64.whl",
            json!({"hash": format!("sha256={hash}")}),
            "x-1.0+cpu-cp311-cp311-linux_x86_64.whl",
        ),
    ] {
        let package = item(url, info).unwrap();
        assert_eq!((package.path.as_str(), package.integrity), (file, Some(format!("sha256:{hash}"))));
    }
    for (url, info, reason) in [
        ("https://x.example/x-1.0.whl", json!({"hashes": {"md5": "1"}}), "no SHA-256"),
        ("https://x.example/x-1.0.tar.gz", json!({"hashes": {"sha256": hash}}), "no wheel"),
        ("https://x.example/%2e%2e.whl", json!({"hashes": {"sha256": hash}}), "no wheel"),
        ("git+https://x.example/x", json!({}), "no SHA-256"),
    ] {
        let error = item(url, info).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}
