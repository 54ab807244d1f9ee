//! Reads the rules for a command, and warns of untrusted ones or refuses them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::app::files::RealFiles;
use crate::cli::failure::Failure;
use crate::cli::policy::write::StateFile;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_config::ConfigError;
use smcp_config::ConfigNotice;
use smcp_config::choice::AskedConfinement;
use smcp_config::discover;
use smcp_config::discover::Asked;
use smcp_config::discover::Discovered;
use smcp_config::discover::Location;
use smcp_model::facts::Score;
use smcp_model::package::PackageRef;
use smcp_model::registry::Registry;
use smcp_model::suspect::Suspect;
use smcp_pipeline as pipeline;
use smcp_pipeline::Activity;
use smcp_pipeline::PipelineError;
use smcp_pipeline::Recorder;
use smcp_pipeline::Session;
use smcp_pipeline::sets::SetsInForce;

/// What a command is about to decide.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Undertaking<'a> {
    /// The command, as it is recorded.
    pub(in crate::cli) command: &'static str,
    /// The package.
    pub(in crate::cli) package: &'a PackageRef,
    /// How long it may take, where the command line says that.
    pub(in crate::cli) timeout: Option<Duration>,
    /// How strictly the server is to be confined, as the command line says.
    pub(in crate::cli) confining: Option<AskedConfinement>,
}

impl App {
    /// Returns the configuration for a command that decides nothing: the files, then what the command line changes.
    /// Warns of rules that another user could have written.
    pub(in crate::cli) fn config(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        self.config_with_warnings(warning_threshold, false, None)
    }

    /// Returns the same for a command that decides, but starts nothing. Also shows a notice when there are no rules. What is
    /// wrong with a policy set is recorded, where a decision `about` a package would be.
    pub(in crate::cli) fn config_to_decide(
        &self,
        warning_threshold: Option<Score>,
        about: Option<Undertaking<'_>>,
    ) -> Result<Config, Failure> {
        self.config_with_warnings(warning_threshold, true, about)
    }

    /// Returns the same for a command that starts a server, or reports what a start would do. Refuses rules that
    /// another user could have written.
    pub(in crate::cli) fn config_to_start(
        &self,
        warning_threshold: Option<Score>,
        about: Option<Undertaking<'_>>,
    ) -> Result<Config, Failure> {
        let Discovered { mut config, suspects, .. } = self.discovered()?;
        if let Some(error) = ConfigError::untrusted(&suspects, self.places.home.as_deref()) {
            return Err(error.into());
        }
        config.refuse_suspects();
        self.add_sets(&mut config, about)?;
        self.notices(&config, true);
        let mut config = self.with_command_line(config, warning_threshold)?;
        if let Some(confining) = about.and_then(|about| about.confining) {
            config.tighten_confinement(confining).map_err(Failure::usage)?;
        }
        Ok(config)
    }

    /// Returns a session for a command that reads no configuration: only `--cache-dir` says where compiled code is kept.
    /// Refuses `--config`, which would have no effect.
    pub(in crate::cli) fn session_alone(&self) -> Result<Session, Failure> {
        if let Some(path) = &self.global.config {
            return Err(Failure::usage(anyhow::anyhow!(
                "--config {} has no effect here: this tries one policy, and reads no configuration\n  leave it out",
                path.display()
            )));
        }
        let mut config = Config::unconfigured(&self.places);
        if let Some(path) = &self.global.cache_dir {
            config.override_cache_dir(self.cache_dir(path)?);
        }
        Ok(self.session_of(config))
    }

    /// Returns a session for a what-if: the file is the user layer, whatever the command line or the environment names. The
    /// layers of the administrator are there only `with_system`.
    pub(in crate::cli) fn session_of_file(&self, file: &Path, with_system: bool) -> Result<Session, Failure> {
        let system_variable = self.system().set_variable(discover::SYSTEM_VARIABLE).filter(|_| with_system);
        let asked = Asked { flag: Some(file), user_variable: None, system_variable };
        let read = if with_system { discover::discover } else { discover::discover_alone };
        let Discovered { mut config, mut suspects } = read(asked, &self.places, &RealFiles)?;
        suspects.extend(self.session_of(config.clone()).suspects());
        suspects.extend(self.add_sets(&mut config, None)?);
        self.warn_of(&suspects);
        self.notices(&config, false);
        Ok(self.session_of(self.with_command_line(config, None)?))
    }

    /// Returns a session that asks another registry by the configuration of `like`, to list its packages.
    pub(in crate::cli) fn session_at(&self, like: &Session, registry: Registry) -> Session {
        let mut config = like.config().clone();
        config.override_registry(registry);
        self.session_of(config)
    }

    /// Returns a session for a command about policy sets themselves: without them, so that it works where they don't.
    pub(in crate::cli) fn session_without_sets(&self) -> Result<Session, Failure> {
        let Discovered { config, suspects, .. } = self.discovered()?;
        self.warn_of(&suspects);
        self.notices(&config, false);
        Ok(self.session_of(self.with_command_line(config, None)?))
    }

    fn config_with_warnings(
        &self,
        warning_threshold: Option<Score>,
        decides: bool,
        about: Option<Undertaking<'_>>,
    ) -> Result<Config, Failure> {
        let Discovered { mut config, mut suspects, .. } = self.discovered()?;
        suspects.extend(self.session_of(config.clone()).suspects());
        suspects.extend(self.add_sets(&mut config, about)?);
        self.warn_of(&suspects);
        self.notices(&config, decides);
        self.with_command_line(config, warning_threshold)
    }

    /// Warns of rules that another user could have written, or that lie where he could.
    pub(in crate::cli) fn warn_of(&self, suspects: &[Suspect]) {
        for suspect in suspects {
            self.warn_always(&format!("{suspect}\n  until then `smcp run` refuses it"));
        }
    }

    /// Adds the policy sets that the configuration names. Returns what another user could have changed on the way to them.
    fn add_sets(&self, config: &mut Config, about: Option<Undertaking<'_>>) -> Result<Vec<Suspect>, Failure> {
        let patience = about.and_then(|about| about.timeout).unwrap_or(config.start_timeout());
        match pipeline::sets::add_sets(config, self.system(), patience) {
            Ok(SetsInForce { notices, suspects }) => {
                notices.iter().for_each(|notice| self.notice(notice.message.as_str()));
                Ok(suspects)
            }
            Err(error) => Err(self.record_without_rules(config, about, error).into()),
        }
    }

    /// Records that there are no rules to decide by, and why. Returns the error.
    fn record_without_rules(
        &self,
        config: &Config,
        about: Option<Undertaking<'_>>,
        error: PipelineError,
    ) -> PipelineError {
        let Some(Undertaking { command, package, timeout: _, confining: _ }) = about else { return error };
        let mut config = config.clone();
        // One that can't be read is not where the package would have come from.
        if let Some(Ok(registry)) = self.global.registry.as_deref().map(|text| self.registry(text)) {
            config.override_registry(registry);
        }
        let activity = Activity { command, asked: Some(package.to_string()) };
        let (error, notice) = Recorder::without_rules(&self.session_of(config), activity, package, error);
        notice.iter().for_each(|notice| self.warn_always(notice.message.as_str()));
        error
    }

    fn notices(&self, config: &Config, decides: bool) {
        for notice in config.notices().iter().chain(&config.ended_exceptions(self.time())) {
            match notice {
                ConfigNotice::Unconfigured if !decides => {}
                ConfigNotice::Unconfigured
                | ConfigNotice::AuditLogIgnored { .. }
                | ConfigNotice::ExceptionEnded { .. }
                | ConfigNotice::ForeignKeys { .. }
                | ConfigNotice::PoliciesBeside { .. }
                | ConfigNotice::UnreadPolicies { .. }
                | ConfigNotice::LegacyFile { .. } => {
                    self.notice(&notice.to_string());
                }
            }
        }
    }

    /// Returns the configuration with what the command line changes.
    fn with_command_line(&self, mut config: Config, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        if let Some(text) = &self.global.registry {
            config.override_registry(self.registry(text)?);
        }
        // One directory is named in several places.
        let found = RefCell::new(BTreeMap::new());
        config.resolve_directories(|path| {
            let resolve = || authority::resolve(path).ok();
            found.borrow_mut().entry(path.to_path_buf()).or_insert_with(resolve).clone()
        });
        config.check_registry().map_err(Failure::usage)?;
        if let Some(path) = &self.global.cache_dir {
            config.override_cache_dir(self.cache_dir(path)?);
        }
        if let Some(threshold) = warning_threshold {
            config.raise_warning_threshold(threshold).map_err(Failure::usage)?;
        }
        pipeline::proxy_remarks(&config, self.system()).iter().for_each(|remark| self.notice(remark));
        Ok(config)
    }

    /// Returns where the file of the user layer is.
    pub(in crate::cli) fn location(&self) -> Result<Location, ConfigError> {
        let flag = self.global.config.as_deref();
        discover::user_file(
            Asked { flag, user_variable: self.system().variable(discover::USER_VARIABLE), system_variable: None },
            &self.places,
        )
    }

    /// Returns the configuration of the files, without what the command line changes.
    fn discovered(&self) -> Result<Discovered, ConfigError> {
        let asked = Asked {
            flag: self.global.config.as_deref(),
            user_variable: self.system().variable(discover::USER_VARIABLE),
            system_variable: self.system().set_variable(discover::SYSTEM_VARIABLE),
        };
        discover::discover(asked, &self.places, &RealFiles)
    }

    /// Returns the files that smcp keeps, as far as the configuration can be read, and those that it keeps by default.
    pub(in crate::cli) fn state_files(&self) -> Vec<StateFile> {
        let mut files = Vec::new();
        if let Some(home) = &self.places.home {
            let folder = home.join(".mcp");
            files.extend(
                ["config.yaml", "compiled.key", "credentials.json"].map(|name| StateFile::File(folder.join(name))),
            );
            files.push(StateFile::Folder(folder.join("policies.d")));
            files.push(StateFile::Log(folder.join("audit.jsonl")));
        }
        files.extend(self.location().ok().map(|location| StateFile::File(location.file)));
        files
            .extend(self.global.cache_dir.as_deref().and_then(|path| self.cache_dir(path).ok()).map(StateFile::Folder));
        let Ok(Discovered { config, .. }) = self.discovered() else { return files };
        files.extend(config.audit_log().map(|log| StateFile::Log(log.to_path_buf())));
        files.extend(config.cache_dir().map(|folder| StateFile::Folder(folder.to_path_buf())));
        for layer in config.layers() {
            files.extend(layer.main_file().map(StateFile::File));
            let places = layer.policies().iter().filter_map(|policy| layer.place_of(policy));
            files.extend(places.map(|place| StateFile::File(place.file().to_path_buf())));
        }
        files
    }

    /// Returns the file of the audit log, for a command that only reads it; shows no notices about the configuration.
    pub(in crate::cli) fn audit_log(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(self.discovered()?.config.audit_log().map(Path::to_path_buf))
    }
}
