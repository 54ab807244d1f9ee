//! The files of the programs, without symbols.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::engines::Engine;
use crate::plan::Plan;
use crate::process::Call;
use crate::world::World;

/// Names and MiB; `None` when the machine has no `strip`.
#[derive(Debug)]
pub(crate) struct Sizes(pub(crate) Option<Vec<(String, f64)>>);

impl Sizes {
    pub(crate) fn measure(plan: &Plan, world: &World, engines: &[Engine]) -> Result<Self> {
        if !Path::new("/usr/bin/strip").exists() {
            return Ok(Self(None));
        }
        let mut programs = vec![("smcp", plan.smcp.as_path())];
        let cold = engines.iter().filter(|engine| engine.cold);
        programs.extend(
            cold.map(|engine| (engine.name.split(',').next().unwrap_or(engine.name), engine.call.program.as_path())),
        );
        programs.extend(plan.cedar_cli.as_ref().map(|cedar| ("Cedar's command line", cedar.as_path())));
        programs.dedup_by_key(|(_, path)| *path);
        let stripped = world.text("stripped");
        let size = |(name, program): (&str, &Path)| {
            Call::new(Path::new("/usr/bin/strip"), &["-o", &stripped, &program.display().to_string()]).output(&[0])?;
            Ok((name.to_owned(), fs::metadata(&stripped)?.len() as f64 / (1024.0 * 1024.0)))
        };
        Ok(Self(Some(programs.into_iter().map(size).collect::<Result<_>>()?)))
    }

    /// The size of smcp, MiB.
    pub(crate) fn smcp(&self) -> Option<f64> {
        Some(self.0.as_ref()?.first()?.1)
    }
}
