//! Gives parts of one list to all cores.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

/// So many policies are worked on in the time that it takes to start a thread, several times over.
const WORTH_A_THREAD: usize = 8;
/// So many parts are there for each core: a thread that is slower, or whose core has other work, takes fewer.
const PARTS_EACH: usize = 4;

/// Gives each core parts of `all`, until none is left, and returns the results in the order of the parts. Each thread
/// makes a state of its own with `begin`. The calling thread works, too, and does all of it when there is no further one.
pub fn share<T: Sync, S, R: Send>(
    all: &[T],
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &[T]) -> R + Sync,
) -> Vec<R> {
    let cores = if all.len() <= WORTH_A_THREAD { 1 } else { cores() };
    let count = if cores == 1 { 1 } else { cores.saturating_mul(PARTS_EACH) };
    let parts: Vec<&[T]> = all.chunks(all.len().div_ceil(count).max(WORTH_A_THREAD)).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let (mut state, mut done) = (begin(), Vec::new());
        while let Some((at, part)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            parts.get(at).map(|part| (at, part))
        } {
            done.push((at, work(&mut state, part)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let further: Vec<_> = (1..cores.min(parts.len()))
            .filter_map(|_| {
                let started = thread::Builder::new().name("policies".to_owned()).spawn_scoped(scope, take);
                started.inspect_err(|error| tracing::debug!(%error, "there is no further thread")).ok()
            })
            .collect();
        let own = take();
        let theirs = further.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        own.into_iter().chain(theirs.flatten()).collect::<Vec<_>>()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The number of cores for this process. It is read once, from a dozen files of the system.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_whole_and_in_order() {
        for count in [0, 1, 7, 8, 9, 64, 65, 100, 1000] {
            let all: Vec<usize> = (0..count).collect();
            let parts = share(&all, || (), |(), part| part.to_vec());
            assert_eq!(parts.concat(), all);
        }
    }

    /// While one thread is held up in its first part, the other does the rest.
    #[test]
    fn a_slow_thread_holds_up_no_part_but_its_own() {
        let all: Vec<usize> = (0..1000).collect();
        if thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return;
        }
        let begun = AtomicUsize::new(0);
        let parts = share(
            &all,
            || (),
            |(), part| {
                begun.fetch_add(1, Ordering::SeqCst);
                // The first part waits until all others were begun.
                while part[0] == 0 && begun.load(Ordering::SeqCst) < all.len().div_ceil(part.len()) {
                    thread::yield_now();
                }
                part.to_vec()
            },
        );
        assert_eq!(parts.concat(), all);
    }

    #[test]
    fn each_thread_has_one_state() {
        let all: Vec<usize> = (0..1000).collect();
        let made = AtomicUsize::new(0);
        let counted = share(&all, || made.fetch_add(1, Ordering::SeqCst), |_, part| part.len());
        assert_eq!(counted.iter().sum::<usize>(), all.len());
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        assert!((1..=cores).contains(&made.into_inner()));
    }
}
