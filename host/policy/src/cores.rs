//! Gives parts of one list to all cores.

use std::num::NonZeroUsize;
use std::thread;

/// So many policies are worked on in the time that it takes to start a thread, several times over.
const WORTH_A_THREAD: usize = 8;

/// Gives each core a part of `all`, in order, and returns the results in the same order. The calling thread does the
/// first part; it also does those for which there is no further thread.
pub(crate) fn share<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    // To count the cores takes a dozen files of the system.
    let cores =
        if all.len() <= WORTH_A_THREAD { 1 } else { thread::available_parallelism().map_or(1, NonZeroUsize::get) };
    let mut parts = all.chunks(all.len().div_ceil(cores).max(WORTH_A_THREAD));
    let first = parts.next().unwrap_or_default();
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = parts
            .map(|part| {
                let started = thread::Builder::new().name("policies".to_owned()).spawn_scoped(scope, || work(part));
                started.map_err(|error| {
                    tracing::debug!(%error, "there is no further thread");
                    part
                })
            })
            .collect();
        let first = work(first);
        let rest = started.into_iter().map(|started| match started {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(part) => work(part),
        });
        std::iter::once(first).chain(rest).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_whole_and_in_order() {
        for count in [0, 1, 7, 8, 9, 100, 1000] {
            let all: Vec<usize> = (0..count).collect();
            let parts = share(&all, <[usize]>::to_vec);
            assert_eq!(parts.concat(), all);
        }
    }
}
