//! Unusable files and folders of the user: rules, caches, tokens, inputs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::Row;
use crate::bed::TestBed;
use crate::before::with_tool;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "an environment file is not understood, a variable or argument is too long",
        holds: &[
            ("each line and why", "line 1: the quotation mark that begins its value is never closed"),
            ("or which and how long; never a value", "the variable BIG is "),
        ],
        provoke: |trial| {
            for text in ["A=\"hunter2\n".to_owned(), format!("BIG={}", "hunter2".repeat(30_000))] {
                trial.refuses(|bed| {
                    with_tool(bed);
                    bed.write("e.env", &text);
                    Scene::of(&format!("run --env-file e.env {TOOL}"))
                });
                trial.never("hunter2");
            }
        },
    },
    Row {
        what: "a facts document is not JSON, or something in it can't be meant",
        holds: &[
            ("each place as a JSON pointer", "`/score`"),
            ("what was found", "is the text `80`"),
            ("what is allowed", "a whole number from 0 to 100"),
        ],
        provoke: |trial| {
            for text in ["score: 80", "{\"score\": \"80\", \"scor\": 1}"] {
                trial.refuses(|bed| {
                    bed.write("facts.json", text);
                    Scene::of("policy eval --facts facts.json")
                });
            }
        },
    },
    Row {
        what: "what is read from a pipe does not come within the start timeout",
        holds: &[("which", "while reading silent"), ("how long", "within 300ms")],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                nix::unistd::mkfifo(&bed.path("silent"), nix::sys::stat::Mode::S_IRWXU).unwrap();
                Scene::of(&format!("run --timeout 300ms --env-file silent {TOOL}"))
            });
        },
    },
    Row {
        what: "rules where nothing looks for them: `~/.mcp/config.yml`, an `/etc/mcp` that is no folder or a link that leads nowhere",
        holds: &[
            ("the path", "~/.mcp/config.yml"),
            ("and what it is", "it is not read: it must be called `config.yaml`"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                bed.write(".mcp/config.yml", "");
                Scene::run()
            });
            // A system folder needs a mount namespace.
            trial.elsewhere(
                "tests/cli/system.rs",
                "an_administrators_folder_is_read_or_refused_in_every_shape",
                "config",
            );
        },
    },
    Row {
        what: "rules, a component, or a folder above, that somebody else may write to or owns; on `run` and `run --dry-run`",
        holds: &[
            ("the path", "~/.mcp/config.yaml"),
            ("the mode or the owner", "(mode 0666)"),
            ("the command that mends it", "chmod go-w "),
        ],
        provoke: |trial| {
            for (path, mode) in [(".mcp/config.yaml", 0o666), (".mcp", 0o777)] {
                trial.refuses(|bed| {
                    with_tool(bed);
                    set_mode(&bed.path(path), mode);
                    Scene::run()
                });
            }
        },
    },
    Row {
        what: "the system's clock stands before 1970",
        holds: &[("that it does", "the system's clock stands before 1970")],
        provoke: |trial| {
            // A library replaces calls of the system; other systems would not load it.
            trial.refuses(|bed| {
                with_tool(bed);
                let variables = crate::shifted::later(-3_000_000_000);
                variables.iter().fold(Scene::run(), |scene, (name, value)| scene.env(name, value))
            });
        },
    },
    Row {
        what: "the cache, or the folder for what runs, is somebody else's, or others may write to it",
        holds: &[
            ("which folder", "[HOME]/theirs is not safe for what runs"),
            ("whose it is or its mode", "others may write to it (mode 0777)"),
            ("what to do", "run: chmod go-w [HOME]/theirs"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                fs::create_dir(bed.path("theirs")).unwrap();
                set_mode(&bed.path("theirs"), 0o777);
                Scene::of(&format!("--cache-dir theirs run {TOOL}"))
            });
        },
    },
    Row {
        what: "a folder in the cache, or a file of it, is a link",
        holds: &[
            ("which", "[HOME]/.mcp/cache/blobs is a link"),
            ("that links are not followed there", "links are not followed there"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                bed.run(&format!("pull {TOOL}")).succeeds();
                fs::rename(bed.path(".mcp/cache/blobs"), bed.path("blobs")).unwrap();
                symlink(bed.path("blobs"), bed.path(".mcp/cache/blobs")).unwrap();
                Scene::run()
            });
        },
    },
    Row {
        what: "the folder that is named as the cache has something else in it",
        holds: &[
            ("which folder", "[HOME]/theirs is not a cache of smcp"),
            ("what is in it", "`photo.jpg`"),
            ("how to go on", "name an empty folder"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                bed.write("theirs/photo.jpg", "weeks of work");
                Scene::of(&format!("--cache-dir theirs run {TOOL}"))
            });
        },
    },
    Row {
        what: "the folder for what runs can't be made or written; no room",
        holds: &[
            ("which folder", "the folder for what runs, [HOME]/file, can't be used"),
            ("what was tried", "can't open it"),
            ("the reason", "Not a directory"),
            ("`runtime_dir`", "`runtime_dir`"),
        ],
        provoke: |trial| {
            trial.launches(|bed| {
                with_tool(bed);
                bed.write("file", "");
                bed.configure("runtime_dir: ~/file\n");
                Scene::run()
            });
        },
    },
    Row {
        what: "others may write to the folder of the tokens",
        holds: &[
            ("the folder", "[HOME]/.mcp is not safe for tokens"),
            ("whose it is or its mode", "others may write to it (mode 0777)"),
            ("what to do", "run: chmod go-w [HOME]/.mcp"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                set_mode(&bed.path(".mcp"), 0o777);
                Scene::of(&format!("--registry http://localhost:1 pull {TOOL}"))
            });
        },
    },
    Row {
        what: "the tokens' file is a link",
        holds: &[
            ("the file", "can't open [HOME]/.mcp/credentials.json"),
            ("that links are not followed there", "links are not followed there"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.write("dotfiles/credentials.json", "{}");
                symlink("../dotfiles/credentials.json", bed.path(".mcp/credentials.json")).unwrap();
                Scene::run_from("http://localhost:1")
            });
        },
    },
];

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A registry directory, or something in it, that every user may write to.
pub(crate) fn open_registry(trial: &Trial<'_>) {
    for path in ["registry", "registry/packages/acme/tool/1.0.0.json"] {
        trial.refuses(|bed: &TestBed| {
            with_tool(bed);
            set_mode(&bed.path(path), 0o777);
            Scene::run()
        });
    }
}
