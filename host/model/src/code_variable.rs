//! Variables by which a program runs other code than its file has.
//!
//! A package is judged by its own files. With one of these the server loads something else, or another program starts.

/// Their names.
const NAMES: [&str; 47] = [
    // Where programs, and what belongs to their user, are looked for.
    "PATH",
    "HOME",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "BUN_OPTIONS",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONEXECUTABLE",
    "PYTHONBREAKPOINT",
    // Names a class, whose module is loaded.
    "PYTHONWARNINGS",
    "RUBYOPT",
    "RUBYLIB",
    "GEM_HOME",
    "GEM_PATH",
    "BUNDLE_GEMFILE",
    "PERL5OPT",
    "PERL5LIB",
    "PERL5DB",
    "PERLLIB",
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "PS4",
    "ZDOTDIR",
    "IFS",
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "DOTNET_STARTUP_HOOKS",
    "DOTNET_ADDITIONAL_DEPS",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "LUA_PATH",
    "LUA_CPATH",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LOCPATH",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "GIO_EXTRA_MODULES",
];

/// The beginnings of their names: loaders, runtimes with many, functions of shells, and programs that fetch.
const PREFIXES: [&str; 12] = [
    "LD_",
    "DYLD_",
    "DENO_",
    "CORECLR_",
    "LUA_INIT",
    "BASH_FUNC_",
    "NPM_CONFIG_",
    "npm_config_",
    "UV_",
    "PIP_",
    "YARN_",
    "BUN_CONFIG_",
];

/// Those whose value is folders in which code is looked for: with folders of the bundle, that is judged code.
const FOLDERS: [&str; 4] = ["NODE_PATH", "PYTHONPATH", "PERL5LIB", "RUBYLIB"];

/// Whether a package that sets a variable has code run that is none of its files, or may have.
pub fn leaves_bundle(name: &str, value: &str) -> bool {
    let is_inside = |path: &str| {
        !path.starts_with(['/', '~']) && !path.contains(['$', '\\']) && !path.split('/').any(|part| part == "..")
    };
    changes_code(name) && !(FOLDERS.contains(&name) && value.split([':', ';']).all(is_inside))
}

/// Whether a variable of this name changes which code a program runs.
pub fn changes_code(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_loads_is_told_from_what_it_reads() {
        for name in ["PATH", "NODE_OPTIONS", "LD_PRELOAD", "DENO_DIR", "npm_config_registry", "ENV", "BASH_FUNC_ls%%"] {
            assert!(changes_code(name), "{name}");
        }
        for name in ["", "TOKEN", "NODE_ENV", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "ENVIRONMENT", "path", "TZ"] {
            assert!(!changes_code(name), "{name}");
        }
    }

    #[test]
    fn a_package_may_look_for_code_in_its_own_folders() {
        for (name, value) in [
            ("PYTHONPATH", "lib"),
            ("PYTHONPATH", "./lib:server/lib"),
            ("NODE_PATH", "."),
            ("TOKEN", "/x"),
            ("RUBYLIB", ""),
        ] {
            assert!(!leaves_bundle(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("PYTHONPATH", "/tmp"),
            ("PYTHONPATH", "lib:/tmp"),
            ("PYTHONPATH", "lib/../../x"),
            ("NODE_PATH", "${WHERE}"),
            ("NODE_PATH", "~/x"),
            ("NODE_OPTIONS", "--require ./x.js"),
            ("PATH", "bin"),
            ("HOME", "."),
            ("LD_PRELOAD", "x.so"),
        ] {
            assert!(leaves_bundle(name, value), "{name}={value}");
        }
    }
}
