//! Packages of distributions, by this machine's own apt, which verifies them: unpacked in `target/kernels`, never installed.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;

/// The keys of Debian's archive, where its package `debian-archive-keyring` has them.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Who makes a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Debian,
    /// Its archive is looked for beside Debian's, where many mirrors have it.
    Ubuntu,
}

/// One release of a distribution, by the name of its suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    maker: Maker,
    pub(crate) suite: &'static str,
    /// The kernel, where it is not the usual one of this release.
    line: Option<&'static str>,
}

pub(crate) const fn debian(suite: &'static str) -> Release {
    Release { maker: Maker::Debian, suite, line: None }
}

pub(crate) const fn ubuntu(suite: &'static str) -> Release {
    Release { maker: Maker::Ubuntu, suite, line: None }
}

/// A kernel to boot.
#[derive(Debug, Clone)]
pub(crate) struct KernelImage {
    pub(crate) path: PathBuf,
}

/// Where packages are kept.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("kernels")
}

impl Release {
    /// The same release with the kernel of another line, such as 6.2: Ubuntu has later ones for older releases.
    pub(crate) const fn with_kernel(self, line: &'static str) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The kernel of this release: that which its machines in a cloud have.
    pub(crate) fn kernel(self) -> Result<KernelImage, String> {
        let name = self.line.map_or_else(|| "kernel".to_owned(), |line| format!("kernel-{line}"));
        let unpacked = self.unpacked(&name, |apt| {
            if let Some(line) = self.line {
                return Ok(vec![apt.newest(&format!("linux-image-{line}."), "-generic")?]);
            }
            let usual = match self.maker {
                Maker::Debian => "linux-image-cloud-amd64",
                Maker::Ubuntu => "linux-image-virtual",
            };
            let image = apt.depended_on(usual, "linux-image-")?;
            // From Debian 14 on, the package of that name has only others for it.
            let binary = apt.depended_on(&image, "linux-binary-");
            Ok(vec![binary.unwrap_or(image)])
        })?;
        let mut todo = vec![unpacked];
        while let Some(path) = todo.pop() {
            for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    todo.push(entry.path());
                } else if kind.is_file() && entry.file_name().to_str().is_some_and(|name| name.starts_with("vmlinuz")) {
                    return Ok(KernelImage { path: entry.path() });
                }
            }
        }
        Err(format!("no kernel in the packages of {}", self.suite))
    }

    /// A folder with the contents of packages, under a name that it is kept by. `named` says which they are.
    pub(crate) fn unpacked(
        self,
        name: &str,
        named: impl FnOnce(&Apt) -> Result<Vec<String>, String>,
    ) -> Result<PathBuf, String> {
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        self.unpacked_alone(name, named)
    }

    /// The same, while nobody else does it.
    fn unpacked_alone(
        self,
        name: &str,
        named: impl FnOnce(&Apt) -> Result<Vec<String>, String>,
    ) -> Result<PathBuf, String> {
        let folder = kept().join(self.suite);
        let done = folder.join(name);
        if done.exists() {
            return Ok(done);
        }
        fs::create_dir_all(&folder).unwrap();
        let scratch = tempfile::tempdir_in(&folder).unwrap();
        let apt = Apt::of(self, scratch.path())?;
        let packages = named(&apt)?;
        apt.run("apt-get", scratch.path(), &[&["download"], &words(&packages)[..]].concat())?;
        let root = scratch.path().join("root");
        for entry in fs::read_dir(scratch.path()).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|extension| extension == "deb") {
                output(Command::new("dpkg-deb").arg("-x").arg(entry.path()).arg(&root))?;
            }
        }
        fs::rename(root, &done).unwrap();
        Ok(done)
    }
}

fn words(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// The system's apt, with an archive and folders that are not the system's.
pub(crate) struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn of(release: Release, scratch: &Path) -> Result<Self, String> {
        let Release { maker, suite, line: _ } = release;
        let site = archive()?;
        let (site, suites, keys) = match maker {
            Maker::Debian => (site, suite.to_owned(), PathBuf::from(DEBIAN_KEYS)),
            Maker::Ubuntu => {
                // Debian has a package of Ubuntu's keys.
                let keys = debian("trixie").unpacked_alone("ubuntu-keys", |_| Ok(vec!["ubuntu-keyring".to_owned()]))?;
                let keys = keys.join("usr/share/keyrings/ubuntu-archive-keyring.gpg");
                let beside = site.strip_suffix("debian").ok_or("the archive's folder is not called `debian`")?;
                (format!("{beside}ubuntu"), format!("{suite} {suite}-updates"), keys)
            }
        };
        let sources =
            format!("Types: deb\nURIs: {site}\nSuites: {suites}\nComponents: main\nSigned-By: {}\n", keys.display());
        fs::write(scratch.join("archive.sources"), sources).unwrap();
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(scratch.join(folder)).unwrap();
        }
        let place = |name: &str| scratch.join(name).display().to_string();
        let options = [
            format!("Dir::State={}", place("state")),
            format!("Dir::Cache={}", place("cache")),
            format!("Dir::Etc::sourcelist={}", place("archive.sources")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "Dir::State::status=/dev/null".to_owned(),
            // What is kept below `target` belongs to whoever runs the tests.
            "APT::Sandbox::User=".to_owned(),
            "APT::Update::Error-Mode=any".to_owned(),
        ];
        let apt = Self { options: options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect() };
        apt.run("apt-get", scratch, &["update"])?;
        Ok(apt)
    }

    /// The package that another one depends on, by how its name begins.
    fn depended_on(&self, package: &str, begins: &str) -> Result<String, String> {
        let text = self.run("apt-cache", Path::new("."), &["depends", package])?;
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let found = names.into_iter().find(|name| name.starts_with(begins));
        found.map(str::to_owned).ok_or_else(|| format!("{package} depends on no {begins}…"))
    }

    /// The newest of the packages whose names begin and end so, with numbers between.
    fn newest(&self, begins: &str, ends: &str) -> Result<String, String> {
        let text = self.run("apt-cache", Path::new("."), &["pkgnames", begins])?;
        let numbers = |name: &str| -> Option<Vec<u64>> {
            let between = name.strip_prefix(begins)?.strip_suffix(ends)?;
            between.split(['.', '-']).map(|number| number.parse().ok()).collect()
        };
        let found = text.lines().filter_map(|name| Some((numbers(name)?, name))).max();
        found.map(|(_, name)| name.to_owned()).ok_or_else(|| format!("there is no {begins}…{ends}"))
    }

    fn run(&self, program: &str, folder: &Path, words: &[&str]) -> Result<String, String> {
        output(Command::new(program).args(&self.options).arg("-qq").args(words).current_dir(folder))
    }
}

/// Where this machine has the packages of Debian from.
fn archive() -> Result<String, String> {
    let format = ["indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"];
    let text = output(Command::new("apt-get").args(format))?;
    let sites = text.lines().filter_map(|line| line.strip_prefix("Debian ")?.strip_suffix('/'));
    let site = sites.into_iter().find(|site| site.ends_with("debian"));
    site.map(str::to_owned).ok_or_else(|| "this machine's apt has no archive of Debian".to_owned())
}

/// Runs a program to its end; returns what it prints.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
