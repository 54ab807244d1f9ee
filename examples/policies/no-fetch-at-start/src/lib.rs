//! Refuses packages whose command fetches what it runs.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::PackagePattern;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// The name under which smcp tells a policy with which words a command fetches.
const FETCHES: &str = "start.fetches";

/// Programs that do little else, for a host that doesn't tell it.
const FETCHERS: [&str; 6] = ["npx", "bunx", "uvx", "pipx", "pnpx", "dnx"];

/// What may fetch.
#[derive(Debug, Settings)]
pub struct NoFetchAtStart {
    /// Packages that may fetch at their start all the same: `acme/tool`, `acme/*`.
    #[setting(default = [])]
    except: Vec<PackagePattern>,
}

impl Policy for NoFetchAtStart {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
        let subject = &request.subject;
        if self.except.iter().any(|packages| packages.covers(subject)) {
            return Verdict::allow();
        }
        let Some(entrypoint) = &subject.entrypoint else {
            return Verdict::allow().violation(
                Finding::new("start-unknown", "what would be started is unknown")
                    .fact("entrypoint")
                    .remedy("use a package whose manifest says what is started"),
            );
        };
        let told = request.extensions.iter().find(|(name, _)| name == FETCHES).map(|(_, words)| words.as_str());
        let program = entrypoint.command.rsplit(['/', '\\']).next().unwrap_or_default();
        let program = program.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let known = FETCHERS.into_iter().find(|fetcher| *fetcher == program);
        let Some(words) = told.or(known) else { return Verdict::allow() };
        let message = format!("the server fetches what it runs when it starts (`{words}`), so nobody has judged it");
        Verdict::allow().violation(
            Finding::new("fetches-at-start", message)
                .fact("entrypoint")
                .remedy("use a package that contains its files; `smcp import` makes one of what npm and PyPI have"),
        )
    }
}

smcp_policy_sdk::export!(NoFetchAtStart);

#[cfg(test)]
mod tests {
    use smcp_policy_sdk::testing;

    use super::*;

    #[test]
    fn every_case_gives_its_verdict() {
        testing::assert_cases::<NoFetchAtStart>("cases");
    }

    #[test]
    fn what_smcp_tells_of_a_command_counts_whatever_its_program() {
        let request = testing::RequestBuilder::new().entrypoint("docker", &["run", "image"]);
        assert_eq!(testing::evaluate::<NoFetchAtStart>(&request.clone().build(), "{}").unwrap(), Verdict::allow());
        let told = request.extension(FETCHES, "docker run").build();
        let verdict = testing::evaluate::<NoFetchAtStart>(&told, "{}").unwrap();
        assert_eq!(verdict.violations[0].code, "fetches-at-start");
    }

    #[test]
    fn it_describes_itself_by_the_rules() {
        testing::describe::<NoFetchAtStart>().unwrap();
    }
}
