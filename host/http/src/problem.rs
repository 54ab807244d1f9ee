//! The problems of a request to a server.

use std::io;
use std::time::Duration;

use crate::certificate::untrusted;
use crate::proxy::Via;
use crate::reach::Forbidden;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Why a server can't be asked, or why its answer is not valid. The message follows the name of the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpProblem {
    /// No try got an answer.
    #[error("can't be reached ({tries}): {cause}\n  check its address and the network")]
    Unreachable {
        /// The number of tries.
        tries: Tries,
        /// The error of the last try.
        cause: SafeText,
    },
    /// The command sends nothing.
    #[error("is not asked, because this command sends nothing")]
    NotAsked,
    /// The server says that it can't answer now.
    #[error("can't answer now ({tries}): status {status}{message}{}", later(*.wait))]
    Busy {
        /// The number of tries.
        tries: Tries,
        /// The status code.
        status: u16,
        /// The message of the server.
        message: ServerMessage,
        /// The wait that the server asks for.
        wait: Option<Duration>,
    },
    /// The server asks for a log-in, or refuses the token.
    #[error("{}: status {status}{message}\n  {advice}", refuses(*.sent))]
    LoginNeeded {
        /// The status code.
        status: u16,
        /// The message of the server.
        message: ServerMessage,
        /// Whether a token was sent.
        sent: bool,
        /// The advice.
        advice: String,
    },
    /// The answer has an unexpected status.
    #[error("answered with status {status}{message}")]
    Unexpected {
        /// The status code.
        status: u16,
        /// The message of the server.
        message: ServerMessage,
    },
    /// The connection can't be trusted.
    #[error("can't be trusted: {what}\n  {advice}")]
    Tls {
        /// The problem.
        what: SafeText,
        /// The advice.
        advice: SafeText,
    },
    /// There are no certificate authorities to check with.
    #[error("can't be checked: {what}\n  {advice}")]
    NoAuthorities {
        /// The reason.
        what: SafeText,
        /// The advice.
        advice: SafeText,
    },
    /// The server redirects to an address that is not allowed.
    #[error("redirects to `{to}`, which is not followed: {reason}")]
    Redirect {
        /// The target.
        to: SafeText,
        /// Why it is not followed.
        reason: SafeText,
    },
    /// An answer of the server names a place that is not allowed.
    #[error("names `{to}`, where smcp does not go: {reason}")]
    Named {
        /// The place.
        to: SafeText,
        /// Why it is not asked.
        reason: SafeText,
    },
    /// The name of the server, or of a redirect, leads to an address that is not allowed.
    #[error("leads where it has no business, and smcp does not follow: {0}")]
    Nearer(SafeText),
    /// There are too many redirects.
    #[error("redirects more than {} times", limits::http::REDIRECTS)]
    TooManyRedirects,
    /// The body is encoded, though only `identity` was asked for.
    #[error("answered in the encoding `{0}`, but only `identity` was asked for")]
    Encoded(SafeText),
    /// The answer is a web page.
    #[error("answered with a web page\n  is the address that of a {noun}, or does the network want you to log in?")]
    WebPage {
        /// The kind of server that was expected.
        noun: &'static str,
    },
    /// The server is of another kind.
    #[error("answers, but not as a {noun}: it has no `{path}`\n  check its address, the path in it included")]
    OtherService {
        /// The kind of server that was expected.
        noun: &'static str,
        /// The path that every such server has.
        path: &'static str,
    },
    /// The server doesn't speak HTTP.
    #[error("does not answer as an HTTP server: {0}")]
    NotHttp(SafeText),
    /// The proxy in the environment can't be used.
    #[error(
        "can't be asked: {variable} names no proxy that can be used\n  expected http://HOST:PORT or https://HOST:PORT"
    )]
    Proxy {
        /// The variable; its value may hold a password.
        variable: &'static str,
    },
}

/// The number of tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries(pub(crate) u32);

impl std::fmt::Display for Tries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("asked once"),
            more => write!(f, "asked {more} times"),
        }
    }
}

/// The message of a server beside a status, if any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerMessage(pub Option<SafeText>);

impl std::fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |text| write!(f, " ({text})"))
    }
}

fn later(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("\n  it asks to wait {}", humantime::format_duration(wait)))
}

const fn refuses(sent: bool) -> &'static str {
    if sent { "does not accept the token for it" } else { "wants to know who asks" }
}

impl HttpProblem {
    /// The text of the problem. With a proxy, the first line ends with it, and the last line has advice about it.
    pub(crate) fn seen(&self, via: Option<&Via>) -> String {
        let text = self.to_string();
        let Some(via) = via else { return text };
        let (what, advice) = text.split_at(text.find('\n').unwrap_or(text.len()));
        format!("{what}; it was asked {via}{advice}\n  NO_PROXY names what is reached without the proxy")
    }

    /// The kind of the problem.
    pub const fn kind(&self) -> HttpProblemKind {
        match self {
            Self::Unreachable { .. } | Self::NotAsked | Self::Busy { .. } => HttpProblemKind::Unavailable,
            Self::LoginNeeded { .. } => HttpProblemKind::Login,
            Self::Tls { .. } | Self::NoAuthorities { .. } => HttpProblemKind::Untrusted,
            Self::Redirect { .. } | Self::Named { .. } | Self::Nearer(_) | Self::TooManyRedirects => {
                HttpProblemKind::Redirect
            }
            Self::Unexpected { .. }
            | Self::Encoded(_)
            | Self::WebPage { .. }
            | Self::OtherService { .. }
            | Self::NotHttp(_) => HttpProblemKind::AnswerInvalid,
            Self::Proxy { .. } => HttpProblemKind::Proxy,
        }
    }
}

/// The kind of a problem with a server. Each protocol has its own codes for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpProblemKind {
    /// The server can't be reached, or can't answer now. Only problems that may pass by themselves.
    Unavailable,
    /// The server asks for a log-in.
    Login,
    /// The connection can't be trusted.
    Untrusted,
    /// The server leads to an address that is not allowed.
    Redirect,
    /// The answer is not valid.
    AnswerInvalid,
    /// The proxy of the environment can't be used, which is a problem of this machine.
    Proxy,
}

/// Why one try of a request failed.
#[derive(Debug)]
pub(crate) enum RequestFailure {
    /// Another try may succeed.
    Passing(SafeText),
    /// Another try does not help.
    Final(HttpProblem),
    /// The deadline of the whole command has passed.
    Expired,
}

impl RequestFailure {
    /// Classifies an error of ureq. Messages call the server `noun`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "ureq adds kinds of errors as it likes")]
    pub(crate) fn of(error: ureq::Error, noun: &str) -> Self {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Global | ureq::Timeout::PerCall) => Self::Expired,
            ureq::Error::Timeout(ureq::Timeout::RecvResponse) => Self::Passing(shown(&format!(
                "it did not answer within {}",
                humantime::format_duration(limits::http::ANSWER)
            ))),
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => Self::Passing(shown(&format!(
                "no connection came about within {}",
                humantime::format_duration(limits::http::CONNECT)
            ))),
            ureq::Error::Timeout(kind) => Self::Passing(shown(&format!("timeout: {kind}"))),
            ureq::Error::Io(error) => from_io(error, noun),
            ureq::Error::HostNotFound => Self::Passing(shown("the system finds no address for its name")),
            ureq::Error::ConnectionFailed => Self::Passing(shown("the connection failed")),
            ureq::Error::ConnectProxyFailed(cause) => Self::Passing(shown(&format!("the proxy refuses: {cause}"))),
            ureq::Error::Rustls(error) => Self::Final(untrusted(&error, noun)),
            ureq::Error::Tls(cause) => Self::Final(HttpProblem::Tls {
                what: shown(cause),
                advice: shown("check its address and the certificates of this system"),
            }),
            ureq::Error::Other(error) => Self::Final(match error.downcast::<Forbidden>() {
                Ok(forbidden) => HttpProblem::Nearer(shown(&forbidden.to_string())),
                Err(other) => HttpProblem::NotHttp(shown(&other.to_string())),
            }),
            ureq::Error::LargeResponseHeader(..) => Self::Final(HttpProblem::NotHttp(shown(&format!(
                "more than {} bytes of headers",
                limits::http::HEADERS
            )))),
            other => Self::Final(HttpProblem::NotHttp(shown(&other.to_string()))),
        }
    }
}

fn from_io(error: io::Error, noun: &str) -> RequestFailure {
    let inner = error.get_ref();
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return RequestFailure::Final(untrusted(tls, noun));
    }
    if inner.is_some_and(|inner| inner.is::<ureq::Error>()) {
        return RequestFailure::of(ureq::Error::from(error), noun);
    }
    RequestFailure::Passing(shown(&error.to_string()))
}

/// A safe excerpt of a foreign text, for messages.
pub(crate) fn shown(text: &str) -> SafeText {
    SafeText::within(text, limits::http::ERROR_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let io = |kind: io::ErrorKind| ureq::Error::Io(kind.into());
        let tls = || rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let cases = [
            (ureq::Error::HostNotFound, Ok(None)),
            (ureq::Error::ConnectionFailed, Ok(None)),
            (ureq::Error::ConnectProxyFailed("407".to_owned()), Ok(None)),
            (ureq::Error::Timeout(ureq::Timeout::Connect), Ok(None)),
            (ureq::Error::Timeout(ureq::Timeout::RecvResponse), Ok(None)),
            (ureq::Error::Timeout(ureq::Timeout::Resolve), Ok(None)),
            (ureq::Error::Timeout(ureq::Timeout::Global), Err("expired")),
            (io(io::ErrorKind::ConnectionRefused), Ok(None)),
            (io(io::ErrorKind::ConnectionReset), Ok(None)),
            (ureq::Error::Io(io::Error::other(ureq::Error::Timeout(ureq::Timeout::Global))), Err("expired")),
            (ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, tls())), Ok(Some(HttpProblemKind::Untrusted))),
            (ureq::Error::Rustls(tls()), Ok(Some(HttpProblemKind::Untrusted))),
            (ureq::Error::Tls("no"), Ok(Some(HttpProblemKind::Untrusted))),
            (ureq::Error::LargeResponseHeader(9, 8), Ok(Some(HttpProblemKind::AnswerInvalid))),
            (ureq::Error::TlsRequired, Ok(Some(HttpProblemKind::AnswerInvalid))),
            (ureq::Error::BadUri("x".to_owned()), Ok(Some(HttpProblemKind::AnswerInvalid))),
        ];
        for (error, expected) in cases {
            let told = format!("{error:?}");
            let kind = match RequestFailure::of(error, "registry") {
                RequestFailure::Passing(_) => Ok(None),
                RequestFailure::Expired => Err("expired"),
                RequestFailure::Final(problem) => Ok(Some(problem.kind())),
            };
            assert_eq!(kind, expected, "{told}");
        }
    }
}
