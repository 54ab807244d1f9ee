//! Whether a server is a registry of images, and lets us in.

use crate::challenge;
use crate::challenge::Challenge;
use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::error::OciError;
use crate::pull::asking;
use smcp_model::deadline::Deadline;
use smcp_model::text::SafeText;

impl OciClient<'_> {
    /// Checks that the server is a registry, and lets us in: with the log-in that there is, or without one where a token
    /// service may give a token to anybody.
    ///
    /// # Errors
    /// When it isn't, or doesn't.
    pub fn enter(&self, deadline: &Deadline) -> Result<(), OciError> {
        let headers = [("accept", "application/json")];
        let call = asking("/v2/", &headers, RepositoryAccess::Entry);
        let reply = self.send(&call, None, deadline)?;
        let has_service = || {
            let challenges: Vec<Challenge> = reply.headers("www-authenticate").flat_map(challenge::parse).collect();
            challenges.iter().any(|challenge| matches!(challenge, Challenge::Bearer { .. }))
        };
        match reply.status() {
            200 => return Ok(()),
            401 if has_service() && self.log_in()?.is_none() => return Ok(()),
            401 => {}
            status => {
                return Err(OciError::Protocol {
                    host: self.host(),
                    doing: "whether it is a registry of images".to_owned(),
                    found: format!("status {status}"),
                    said: SafeText::default(),
                    allowed: "status 200 or 401 at /v2/, as the distribution API has it",
                });
            }
        }
        let reply = self.call(&call, deadline)?;
        if reply.status() == 200 { Ok(()) } else { Err(self.refused(reply, "its entry", RepositoryAccess::Entry)) }
    }
}
