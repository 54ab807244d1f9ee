//! A file behind a URL, in place of an artefact.

use std::io::Read as _;

use crate::error::OciError;
use crate::error::said;
use smcp_http::Authorization;
use smcp_http::HttpCall;
use smcp_http::HttpClient;
use smcp_http::HttpMethod;
use smcp_http::HttpTarget;
use smcp_model::deadline::Deadline;
use smcp_model::number;
use smcp_model::secret::Secret;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// Gets the file at the client's own URL, of at most `limit` bytes. Its digest is not known here.
///
/// # Errors
/// When it can't be had, or is longer.
pub fn get(http: &HttpClient, token: Option<&Secret>, limit: usize, deadline: &Deadline) -> Result<Vec<u8>, OciError> {
    let url = &http.server().url;
    let what = url.to_string();
    let authorization = token.map(Authorization::bearer);
    let call = HttpCall {
        method: HttpMethod::Get,
        target: HttpTarget::Below(""),
        headers: &[("accept", "application/wasm, application/octet-stream, */*")],
        body: None,
        authorization: authorization.as_ref(),
        repeatable: true,
    };
    let reply = http.call(&call, deadline)?;
    let (status, knew) = (reply.status(), reply.knew_who_asks());
    let advice = format!("smcp login --registry {} --token -", url.endpoint());
    match status {
        200 => {}
        404 => return Err(OciError::Missing { what, said: said(&reply.message()), advice }),
        401 | 403 => {
            return Err(OciError::Denied {
                host: format!("the server {}", url.endpoint()),
                who: if knew { "this token" } else { "anybody whom it does not know" },
                doing: format!("read {}", url.path()),
                status,
                said: said(&reply.message()),
                advice: format!("log in: {advice}"),
            });
        }
        status => {
            return Err(OciError::Protocol {
                host: format!("the server {}", url.endpoint()),
                doing: format!("for {}", url.path()),
                found: format!("status {status}"),
                said: said(&reply.message()),
                allowed: "the file, with status 200",
            });
        }
    }
    let too_large = || OciError::TooLarge { what: what.clone(), limit };
    if reply.length().is_some_and(|length| length > number::wide(limit)) {
        return Err(too_large());
    }
    let body = reply.body(deadline).map_err(|problem| http.failed(problem))?;
    let mut bytes = Vec::new();
    let read = body.take(number::wide(limit).saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|cause| match cause.downcast::<Halted>() {
        Ok(halted) => OciError::Halted(halted),
        Err(cause) => OciError::Broken { what: what.clone(), cause },
    })?;
    if bytes.len() > limit {
        return Err(too_large());
    }
    if smcp_http::begins_a_page(&bytes) {
        let problem = SafeText::new("it is a web page");
        return Err(OciError::Artefact {
            what,
            problem,
            allowed: "the file itself; is the URL that of a page about it?",
        });
    }
    Ok(bytes)
}
