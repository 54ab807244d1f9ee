//! The SDKs show the reason of a refusal, in every mode in which they begin.

use crate::bed::Package;
use crate::bed::TestBed;
use crate::client::Client;

#[test]
fn a_refusal_is_what_the_client_fails_with() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    bed.publish(&Package::greeter("poor/greeter@1.0.0").facts("official", 3, 35));
    for client in [Client::Python, Client::Rust] {
        for mode in ["legacy", "auto", "2026-07-28"] {
            let said = client.is_refused(&bed, "poor/greeter@1.0.0", mode);
            let why = "security score 35 is below minimum required score 80";
            assert!(said.contains("smcp did not start") && said.contains(why), "{client:?} in {mode} mode: {said}");
        }
    }
}
