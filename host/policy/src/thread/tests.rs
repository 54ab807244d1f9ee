//! Threads, and the work that is done in turn on them.

use super::*;

/// Work that leaves nothing to release.
fn work<T: Send + 'static>(time: Duration, run: impl FnOnce(Waiter) -> T + Send + 'static) -> ThreadTask<T> {
    ThreadTask::new(WorkPatience::of(time), |waiter| (run(waiter), ()))
}

#[test]
fn work_in_turn_is_done_on_one_thread_and_each_has_its_own_end() {
    let threads = Threads::default();
    let long = Duration::from_secs(60);
    let (_keep, forever) = mpsc::channel::<()>();
    let hang = move |_: Waiter| forever.recv().map_or(thread::current().id(), |()| unreachable!());
    let here = |_: Waiter| thread::current().id();
    let works = vec![
        work(long, here),
        work(long, |_| panic!("planted")),
        work(long, here),
        work(Duration::from_millis(20), hang),
        work(long, here),
        work(long, here),
    ];
    let results = threads.run_in_turn(|| (), works);
    let ids: Vec<_> = [0, 2, 4, 5].map(|index: usize| results[index].clone().unwrap()).into();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2], "{ids:?}");
    let faults = [1, 3].map(|index: usize| results[index].clone().unwrap_err().kind);
    assert_eq!(faults, [FaultKind::Panic, FaultKind::Deadline]);
}

/// What is left of work is released by its thread, after its result was sent.
#[test]
fn a_result_does_not_wait_for_what_is_left() {
    struct Held(mpsc::Receiver<()>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.recv().unwrap_err();
            panic!("planted");
        }
    }
    let (release, held) = mpsc::channel();
    let threads = Threads::default();
    let first = ThreadTask::new(WorkPatience::of(Duration::from_secs(60)), |_| (thread::current().id(), Held(held)));
    let first = threads.run(|| (), first).unwrap();
    drop(release);
    assert_eq!(threads.run(|| (), work(Duration::from_secs(60), |_| thread::current().id())).unwrap(), first);
}

#[test]
fn a_thread_that_was_begun_early_does_the_first_work() {
    let threads = Threads::default();
    let (report, told) = mpsc::channel();
    threads.begin(move || report.send(thread::current().id()).unwrap());
    let worked = threads.run(|| (), work(Duration::from_secs(60), |_| thread::current().id())).unwrap();
    assert_eq!(told.recv().unwrap(), worked);
}

#[test]
fn a_panic_is_a_fault() {
    let fault =
        Threads::default().run(|| (), work(Duration::from_secs(60), |_| -> () { panic!("planted") })).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Panic);
    assert_eq!(fault.message.as_str(), "smcp itself failed while evaluating the policy");
    assert!(format!("{fault:?}").contains("SECURITY.md"), "{fault:?}");
}

/// The panic hook recognises these threads by their name, and does not report a panic a second time.
#[test]
fn work_is_done_on_a_thread_of_the_agreed_name() {
    let name = Threads::default()
        .run(|| (), work(Duration::from_secs(60), |_| thread::current().name().map(str::to_owned)))
        .unwrap();
    assert_eq!(name.as_deref(), Some(EVALUATION_THREAD));
}

#[test]
fn work_that_hangs_is_given_up() {
    let (_keep, forever) = mpsc::channel::<()>();
    let fault = Threads::default().run(|| (), work(Duration::from_millis(20), move |_| forever.recv())).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Deadline);
}

#[test]
fn threads_that_hang_are_counted_until_they_come_back() {
    let threads = Threads::default();
    let hung: Vec<_> = (0..limits::ABANDONED_THREADS)
        .map(|_| {
            let (release, forever) = mpsc::channel::<()>();
            let fault = threads.run(|| (), work(Duration::from_millis(1), move |_| forever.recv())).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Deadline);
            release
        })
        .collect();
    let fault = threads.run(|| (), work(Duration::from_secs(60), |_| ())).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Limit);
    let message = format!("it was not called: {} calls into policies did not come back", limits::ABANDONED_THREADS);
    assert!(fault.message.as_str().starts_with(&message), "{fault:?}");
    drop(hung);
    while threads.abandoned.load(Ordering::SeqCst) > 0 {
        thread::yield_now();
    }
    threads.run(|| (), work(Duration::from_secs(60), |_| ())).unwrap();
}

#[test]
fn a_thread_serves_again_unless_it_was_given_up() {
    let threads = Threads::default();
    let here = |_: Waiter| thread::current().id();
    let first = threads.run(|| (), work(Duration::from_secs(60), here)).unwrap();
    assert_eq!(threads.run(|| (), work(Duration::from_secs(60), here)).unwrap(), first);
    let (_keep, forever) = mpsc::channel::<()>();
    threads.run(|| (), work(Duration::from_millis(20), move |_| forever.recv())).unwrap_err();
    assert_ne!(threads.run(|| (), work(Duration::from_secs(60), here)).unwrap(), first);
}

/// Work that looks whether it should stop is told so at the end of its time, and does not wait for the end of the
/// caller's patience.
#[test]
fn work_is_interrupted_when_its_time_is_over() {
    let (interrupt, interrupted) = mpsc::channel();
    let patience = WorkPatience { time: Duration::from_millis(5), grace: Duration::from_secs(60) };
    let interrupt = || interrupt.send(()).unwrap_or_default();
    let work = ThreadTask::new(patience, move |_| (interrupted.recv().unwrap(), ()));
    Threads::default().run(interrupt, work).unwrap();
}

/// A thread that the system lets begin late would otherwise run for ever: nobody interrupts it afterwards.
#[test]
fn work_that_begins_after_it_was_given_up_is_told() {
    let (release, held) = mpsc::channel::<()>();
    let (report, told) = mpsc::channel();
    let last = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&last);
    let work = work(Duration::from_millis(1), move |waiter: Waiter| {
        held.recv().unwrap_err();
        report.send((waiter.has_left(), seen.load(Ordering::SeqCst))).unwrap();
    });
    let interrupt = || last.store(true, Ordering::SeqCst);
    Threads::default().run(interrupt, work).unwrap_err();
    drop(release);
    assert_eq!(told.recv().unwrap(), (true, true));
}
