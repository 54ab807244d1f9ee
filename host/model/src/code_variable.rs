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
}
