//! The rules in force, read for a command, and how far they are trusted.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::app::files::RealFiles;
use crate::cli::failure::Failure;
use smcp_config::Config;
use smcp_config::ConfigError;
use smcp_config::Notice;
use smcp_config::discover;
use smcp_config::discover::Asked;
use smcp_config::discover::Discovered;
use smcp_config::discover::Location;
use smcp_model::facts::Score;
use smcp_pipeline as pipeline;

impl App {
    /// The configuration for a command that decides nothing: the file, then what the command line changes. Rules that
    /// somebody else could have written are told of.
    pub(in crate::cli) fn config(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        self.config_with_warnings(warning_threshold, false)
    }

    /// The same for a command that decides, but starts nothing: that there are no rules is said, too.
    pub(in crate::cli) fn config_to_decide(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        self.config_with_warnings(warning_threshold, true)
    }

    /// The same for what starts a server, or says what a start would: rules that somebody else could have written are
    /// refused.
    pub(in crate::cli) fn config_to_start(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        let Discovered { mut config, suspects, .. } = self.discovered()?;
        if let Some(error) = ConfigError::untrusted(&suspects, self.places.home.as_deref()) {
            return Err(error.into());
        }
        config.refuse_suspects();
        self.notices(&config, true);
        self.changed(config, warning_threshold)
    }

    fn config_with_warnings(&self, warning_threshold: Option<Score>, decides: bool) -> Result<Config, Failure> {
        let Discovered { config, mut suspects, .. } = self.discovered()?;
        suspects.extend(self.session_of(config.clone()).suspects());
        for suspect in suspects {
            self.warn_always(&format!("{suspect}\n  until then `smcp run` refuses it"));
        }
        self.notices(&config, decides);
        self.changed(config, warning_threshold)
    }

    fn notices(&self, config: &Config, decides: bool) {
        for notice in config.notices() {
            match notice {
                Notice::Unconfigured if !decides => {}
                Notice::Unconfigured
                | Notice::AuditLogIgnored { .. }
                | Notice::ForeignKeys { .. }
                | Notice::LegacyFile { .. } => {
                    self.notice(&notice.to_string());
                }
            }
        }
    }

    /// What the command line changes.
    fn changed(&self, mut config: Config, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        if let Some(text) = &self.global.registry {
            config.override_registry(self.registry(text)?);
        }
        if let Some(path) = &self.global.cache_dir {
            config.override_cache_dir(self.cache_dir(path)?);
        }
        if let Some(threshold) = warning_threshold {
            config.raise_warning_threshold(threshold).map_err(Failure::usage)?;
        }
        pipeline::proxy_remarks(&config, self.system()).iter().for_each(|remark| self.notice(remark));
        Ok(config)
    }

    /// The file of the user layer.
    pub(in crate::cli) fn location(&self) -> Result<Location, ConfigError> {
        let flag = self.global.config.as_deref();
        discover::user_file(
            Asked { flag, user_variable: self.system().variable(discover::USER_VARIABLE), system_variable: None },
            &self.places,
        )
    }

    /// The configuration as it is found; nothing of the command line.
    fn discovered(&self) -> Result<Discovered, ConfigError> {
        let asked = Asked {
            flag: self.global.config.as_deref(),
            user_variable: self.system().variable(discover::USER_VARIABLE),
            system_variable: self.system().set_variable(discover::SYSTEM_VARIABLE),
        };
        discover::discover(asked, &self.places, &RealFiles)
    }

    /// The file that the audit log is written to, for whoever only reads it; nothing is said of the configuration.
    pub(in crate::cli) fn audit_log(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(self.discovered()?.config.audit_log().map(Path::to_path_buf))
    }
}
