//! Work that hangs, panics, or begins late.

use super::*;

#[test]
fn a_panic_is_a_fault() {
    let fault = Threads::default()
        .run(WorkPatience::of(Duration::from_secs(60)), || (), |_| -> () { panic!("planted") })
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Panic);
    assert_eq!(fault.message.as_str(), "smcp itself failed while evaluating the policy");
    assert!(format!("{fault:?}").contains("SECURITY.md"), "{fault:?}");
}

/// The panic hook recognises these threads by their name, and does not report a panic a second time.
#[test]
fn work_is_done_on_a_thread_of_the_agreed_name() {
    let name = Threads::default()
        .run(WorkPatience::of(Duration::from_secs(60)), || (), |_| thread::current().name().map(str::to_owned))
        .unwrap();
    assert_eq!(name.as_deref(), Some(EVALUATION_THREAD));
}

#[test]
fn work_that_hangs_is_given_up() {
    let (_keep, forever) = mpsc::channel::<()>();
    let fault = Threads::default()
        .run(WorkPatience::of(Duration::from_millis(20)), || (), move |_| forever.recv())
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Deadline);
}

#[test]
fn threads_that_hang_are_counted_until_they_come_back() {
    let threads = Threads::default();
    let mut hung = Vec::new();
    while hung.len() < limits::ABANDONED_THREADS {
        let ((release, forever), (report, begun)) = (mpsc::channel::<()>(), mpsc::channel());
        let work = move |_| report.send(()).is_ok_and(|()| forever.recv().is_ok());
        let fault = threads.run(WorkPatience::of(Duration::from_millis(1)), || (), work).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Deadline);
        // A thread that the system lets begin too late does nothing, and is counted until it has.
        if begun.recv().is_ok() {
            hung.push(release);
        }
        while threads.abandoned.load(Ordering::SeqCst) > hung.len() {
            thread::yield_now();
        }
    }
    let fault = threads.run(WorkPatience::of(Duration::from_secs(60)), || (), |_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Limit);
    let message = format!("it was not called: {} calls into policies did not come back", limits::ABANDONED_THREADS);
    assert!(fault.message.as_str().starts_with(&message), "{fault:?}");
    drop(hung);
    while threads.abandoned.load(Ordering::SeqCst) > 0 {
        thread::yield_now();
    }
    threads.run(WorkPatience::of(Duration::from_secs(60)), || (), |_| ()).unwrap();
}

#[test]
fn a_thread_serves_again_unless_it_was_given_up() {
    let threads = Threads::default();
    let here = |_: Waiter| thread::current().id();
    let first = threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap();
    assert_eq!(threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap(), first);
    let (_keep, forever) = mpsc::channel::<()>();
    threads.run(WorkPatience::of(Duration::from_millis(20)), || (), move |_| forever.recv()).unwrap_err();
    assert_ne!(threads.run(WorkPatience::of(Duration::from_secs(60)), || (), here).unwrap(), first);
}

/// Work that looks whether it should stop is told so at the end of its time, and does not wait for the end of the
/// caller's patience.
#[test]
fn work_is_interrupted_when_its_time_is_over() {
    let (interrupt, interrupted) = mpsc::channel();
    let patience = WorkPatience { time: Duration::from_millis(5), grace: Duration::from_secs(60) };
    let interrupt = || interrupt.send(()).unwrap_or_default();
    Threads::default().run(patience, interrupt, move |_| interrupted.recv().unwrap()).unwrap();
}

/// Work that comes to its guest after it was given up would otherwise run for ever: nobody interrupts it afterwards.
#[test]
fn work_that_was_given_up_is_told() {
    let mut told = Err(mpsc::RecvError);
    // A thread that the system lets begin too late does nothing, and tells nothing.
    while told.is_err() {
        let (release, held) = mpsc::channel::<()>();
        let (report, reported) = mpsc::channel();
        let last = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&last);
        let work = move |waiter: Waiter| {
            held.recv().unwrap_err();
            report.send((waiter.has_left(), seen.load(Ordering::SeqCst))).unwrap();
        };
        let interrupt = || last.store(true, Ordering::SeqCst);
        Threads::default().run(WorkPatience::of(Duration::from_millis(1)), interrupt, work).unwrap_err();
        drop(release);
        told = reported.recv();
    }
    assert_eq!(told, Ok((true, true)));
}

/// Nobody waits for work that its thread did not begin in time.
#[test]
fn work_that_would_begin_too_late_is_not_begun() {
    let threads = Threads::default();
    let (release, held) = mpsc::channel::<()>();
    let (idle, jobs) = mpsc::channel::<Job>();
    threads.idle().push(idle);
    let late = thread::spawn(move || {
        held.recv().unwrap_err();
        jobs.recv().unwrap()();
    });
    let fault = threads
        .run(WorkPatience::of(Duration::from_millis(1)), || (), |_| -> () { panic!("it has begun") })
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Deadline);
    assert_eq!(threads.abandoned.load(Ordering::SeqCst), 1);
    drop(release);
    late.join().unwrap();
    assert_eq!(threads.abandoned.load(Ordering::SeqCst), 0);
}

fn task<T>(patience: WorkPatience, work: impl FnOnce(Waiter) -> T + Send + 'static) -> Task<T> {
    Task { patience, work: Box::new(|waiter| Done::with(work(waiter))) }
}

#[test]
fn tasks_are_done_one_after_the_other_on_one_thread() {
    let patience = WorkPatience::of(Duration::from_secs(60));
    for threads in [Threads::default(), Threads::alert()] {
        for _ in 0..3 {
            let before = Arc::new(AtomicUsize::new(0));
            let tasks = (0..100).map(|_| {
                let before = Arc::clone(&before);
                task(patience, move |_| (before.fetch_add(1, Ordering::SeqCst), thread::current().id()))
            });
            let done: Vec<_> = threads.run_all(tasks.collect(), || ()).into_iter().map(Result::unwrap).collect();
            assert!(done.iter().enumerate().all(|(number, it)| *it == (number, done[0].1)), "{done:?}");
        }
        assert_eq!(threads.idle().len(), 1);
        assert_eq!(threads.run_all(Vec::<Task<()>>::new(), || ()).len(), 0);
    }
}

/// Each task has its own end; what hangs takes a thread with it, and no other task.
#[test]
fn a_task_that_hangs_or_panics_is_the_only_one_that_fails() {
    let (keep, patient) = (Arc::new(Mutex::new(Vec::new())), WorkPatience::of(Duration::from_secs(60)));
    let good = |number: usize| task(patient, move |_| number);
    let hangs = || {
        let (release, forever) = mpsc::channel::<()>();
        keep.lock().unwrap().push(release);
        let short = WorkPatience { time: Duration::from_millis(5), grace: Duration::from_millis(5) };
        task(short, move |_| forever.recv().map_or(0, |()| 0))
    };
    let panics = || task(patient, |_| panic!("planted"));
    let threads = Threads::default();
    let tasks = vec![good(0), hangs(), good(2), panics(), good(4), hangs(), hangs(), good(7)];
    let kinds: Vec<_> = threads.run_all(tasks, || ()).into_iter().map(|done| done.map_err(|it| it.kind)).collect();
    let (hung, panicked) = (Err(FaultKind::Deadline), Err(FaultKind::Panic));
    assert_eq!(kinds, [Ok(0), hung, Ok(2), panicked, Ok(4), hung, hung, Ok(7)]);
    keep.lock().unwrap().clear();
    while threads.abandoned.load(Ordering::SeqCst) > 0 {
        thread::yield_now();
    }
}

/// Also when the one before it may take longer.
#[test]
fn the_time_of_a_task_ends_with_it() {
    let times = [Duration::from_secs(60), Duration::from_millis(5), Duration::from_secs(60)];
    let (interrupt, interrupted) = mpsc::channel();
    let interrupt = || interrupt.send(()).unwrap_or_default();
    let mut waits = Some(interrupted);
    let tasks = times.map(|time| {
        let interrupted = waits.take_if(|_| time < times[0]);
        let patience = WorkPatience { time, grace: Duration::from_secs(60) };
        task(patience, move |_| interrupted.map(|it| it.recv().unwrap()))
    });
    let begin = Instant::now();
    let done: Vec<_> = Threads::default().run_all(tasks.into(), interrupt).into_iter().map(Result::unwrap).collect();
    assert_eq!(done, [None, Some(()), None]);
    assert!(begin.elapsed() < times[0]);
}

/// Every task has its whole time, however long the ones before it took: together they take longer than one may.
#[test]
fn the_time_of_a_task_begins_with_it() {
    let patience = WorkPatience { time: Duration::from_secs(1), grace: Duration::from_secs(60) };
    let takes_its_time = |_| {
        task(patience, move |_| {
            let begin = Instant::now();
            while begin.elapsed() < patience.time / 6 {
                thread::yield_now();
            }
        })
    };
    let interrupted = AtomicUsize::new(0);
    let interrupt = || _ = interrupted.fetch_add(1, Ordering::SeqCst);
    let begin = Instant::now();
    assert!(Threads::default().run_all((0..8).map(takes_its_time).collect(), interrupt).iter().all(Result::is_ok));
    assert!(begin.elapsed() > patience.time);
    assert_eq!(interrupted.load(Ordering::SeqCst), 0);
}

/// What is cleared away afterwards keeps nobody waiting.
#[test]
fn a_result_comes_before_its_rest_is_dropped() {
    struct Rest(mpsc::Receiver<()>, mpsc::Sender<()>);
    impl Drop for Rest {
        fn drop(&mut self) {
            self.0.recv().unwrap();
            self.1.send(()).unwrap();
        }
    }
    let (release, held) = mpsc::channel();
    let (report, dropped) = mpsc::channel();
    let rest: Option<Box<dyn Send>> = Some(Box::new(Rest(held, report)));
    let work = move |_| Done { result: 7, rest, can_wait: false };
    let tasks = vec![Task { patience: WorkPatience::of(Duration::from_secs(60)), work: Box::new(work) }];
    assert_eq!(Threads::default().run_all(tasks, || ()).pop().unwrap().unwrap(), 7);
    release.send(()).unwrap();
    dropped.recv().unwrap();
}

/// What is large makes room for the next task; of what is small, some waits for the last one.
#[test]
fn small_rests_wait_for_the_last_task_and_large_ones_do_not() {
    struct Rest(u8, Arc<Mutex<Vec<String>>>);
    impl Drop for Rest {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(format!("-{}", self.0));
        }
    }
    let order = |threads: &Threads, sizes: [bool; 5]| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tasks = (1_u8..).zip(sizes).map(|(number, can_wait)| {
            let seen = Arc::clone(&seen);
            let work = move |_| {
                seen.lock().unwrap().push(number.to_string());
                Done { result: (), rest: Some(Box::new(Rest(number, seen)) as Box<dyn Send>), can_wait }
            };
            Task { patience: WorkPatience::of(Duration::from_secs(60)), work: Box::new(work) }
        });
        assert!(threads.run_all(tasks.collect(), || ()).iter().all(Result::is_ok));
        // The thread has dropped all rests when it takes the next task.
        threads.run(WorkPatience::of(Duration::from_secs(60)), || (), |_| ()).unwrap();
        seen.lock().unwrap().join(" ")
    };
    let threads = Threads::default();
    assert_eq!(order(&threads, [true; 5]), "1 2 3 -1 4 -2 5 -3 -4 -5");
    assert_eq!(order(&threads, [false; 5]), "1 -1 2 -2 3 -3 4 -4 5 -5");
    assert_eq!(order(&threads, [true, true, false, true, true]), "1 2 3 -1 -2 -3 4 5 -4 -5");
    assert_eq!(order(&Threads::alert(), [true; 5]), "1 -1 2 -2 3 -3 4 -4 5 -5");
}
