//! Any request to a server, and its answer, for protocols that send as well.

use std::io::Read;

use ureq::Body;
use ureq::http::Response;

use crate::address::Address;
use crate::answer;
use crate::answer::HttpAnswer;
use crate::answer::header;
use crate::authorization::Authorization;
use crate::exchange::Settled;
use crate::problem::HttpProblem;
use crate::problem::ServerMessage;
use smcp_model::deadline::Deadline;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// It asks for a body.
    Get,
    /// It asks whether there is one.
    Head,
    /// It begins something.
    Post,
    /// It finishes or replaces something.
    Put,
    /// It continues something.
    Patch,
}

impl HttpMethod {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }

    /// Whether nothing changes by it, so that redirects are followed.
    pub(crate) const fn only_reads(self) -> bool {
        match self {
            Self::Get | Self::Head => true,
            Self::Post | Self::Put | Self::Patch => false,
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub enum HttpTarget<'q> {
    /// A path below the server's address, with its query; it begins with a slash.
    Below(&'q str),
    /// A place that an answer of the server has named, absolute or relative. It is checked as a redirect is.
    Led(&'q str),
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct HttpCall<'q> {
    /// Its method.
    pub method: HttpMethod,
    /// Where it goes.
    pub target: HttpTarget<'q>,
    /// Its headers, but for those that the client makes.
    pub headers: &'q [(&'static str, &'q str)],
    /// Its body.
    pub body: Option<&'q [u8]>,
    /// Who asks. It is sent to the target's own scheme, host and port, and never after a redirect to others: the caller
    /// knows whether a place that the server names may have it.
    pub authorization: Option<&'q Authorization>,
    /// Whether sending it twice does the same as once. A request that was too much at its moment (status 429) is sent
    /// again in any case.
    pub repeatable: bool,
}

/// The answer to a request, of whatever status.
#[derive(Debug)]
pub struct HttpReply {
    response: Response<Body>,
    at_home: bool,
    sent: bool,
    noun: &'static str,
}

impl HttpReply {
    pub(crate) fn new(settled: Settled, home: &Address, noun: &'static str) -> Self {
        let Settled { response, address, sent } = settled;
        Self { at_home: address.endpoint() == home.endpoint(), response, sent, noun }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Whether the server itself has answered, and none that it redirects to.
    pub const fn is_from_home(&self) -> bool {
        self.at_home
    }

    /// Whether whoever answered was told who asks.
    pub const fn knew_who_asks(&self) -> bool {
        self.sent
    }

    /// The first value of a header, if it is ASCII text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.response.headers(), name)
    }

    /// All values of a header that are ASCII text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The length of the body according to the header, bytes.
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Returns a reader of the body of a successful answer, which fails when the deadline passes.
    ///
    /// # Errors
    /// When it is encoded, or is a web page.
    pub fn body(self, deadline: &Deadline) -> Result<impl Read + 'static, HttpProblem> {
        HttpAnswer::new(self.response, self.noun).map(|answer| answer.body(deadline))
    }

    /// The server's message about a failure: an `errors` or `error` in JSON, or plain text.
    pub fn message(self) -> ServerMessage {
        answer::message(self.response)
    }
}
