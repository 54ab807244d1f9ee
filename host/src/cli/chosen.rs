//! Commands whose options are made when they are chosen.
//!
//! A command line names one command, and all of them together have more options than it takes time to judge a package.
//! What each does with its options is a function by itself, too: as one function with all others, it would be far apart in
//! the program's file, and every start would touch more of that.

use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::Error;
use clap::FromArgMatches;
use clap::Subcommand;

/// A command, or a group of commands, that is only looked into when it is chosen, or listed in full.
#[derive(Debug)]
pub(super) struct Chosen<T>(pub(super) T);

impl<T> Chosen<T> {
    /// Hands the command over.
    #[inline(never)]
    pub(super) fn then<R>(self, carry_out: impl FnOnce(T) -> R) -> R {
        carry_out(self.0)
    }
}

impl<T: FromArgMatches> FromArgMatches for Chosen<T> {
    #[inline(never)]
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    #[inline(never)]
    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Chosen<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(T::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(T::augment_args_for_update)
    }
}

impl<T: Subcommand> Subcommand for Chosen<T> {
    fn augment_subcommands(command: Command) -> Command {
        command.defer(T::augment_subcommands)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        command.defer(T::augment_subcommands_for_update)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::cli::args::Arguments;

    /// The words that a list of commands has of each, before any of them is looked into.
    fn listed(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let path = format!("{path} {}", command.get_name());
            found.push((path.clone(), command.get_about().map(ToString::to_string).unwrap_or_default()));
            listed(command, &path, found);
        }
    }

    #[test]
    fn the_list_of_commands_says_what_the_help_of_each_begins_with() {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut root = Arguments::command();
        listed(&root, "smcp", &mut before);
        root.build();
        listed(&root, "smcp", &mut after);
        assert!(after.len() > 30, "{after:?}");
        let before: std::collections::BTreeMap<_, _> = before.into_iter().collect();
        for (path, about) in after {
            assert!(!about.is_empty(), "{path}");
            assert_eq!(before.get(&path).unwrap_or(&about), &about, "{path}");
        }
    }
}
