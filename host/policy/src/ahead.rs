//! Gets the code of many components before they are loaded, on all cores.
//!
//! Afterwards the policies are loaded one after the other, as if each had been compiled then.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;

use crate::bound::Bound;
use crate::compiled::Slot;
use crate::cores;
use crate::host::PolicyHost;
use crate::host::Runtime;
use crate::load::Wanted;
use smcp_model::deadline::Deadline;
use smcp_model::limits::compiling;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::progress::Progress;

/// The code of policies that are about to be loaded. While it exists, none of them is compiled again.
#[must_use = "code that nobody holds is compiled again"]
pub struct Ahead {
    _slots: Vec<Arc<Slot>>,
}

/// The deadline passed before every component was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The first policy that has no code.
    pub policy: PolicyName,
}

/// One component that has to be compiled.
struct Order<'a> {
    slot: Arc<Slot>,
    wanted: Wanted<'a>,
    policy: &'a PolicyName,
}

impl PolicyHost {
    /// Gets the code of all enabled policies: from the store, or compiled, as many at once as the compiler says. What
    /// can't be compiled is a fault of its policy, which loading it shows. `watch` learns what is compiled.
    ///
    /// # Errors
    /// [`Late`] when the deadline passes meanwhile.
    pub fn prepare<'a>(
        &self,
        policies: impl IntoIterator<Item = &'a Bound>,
        deadline: Deadline,
        watch: &mut dyn Progress,
    ) -> Result<Ahead, Late> {
        let mut orders: Vec<Order<'_>> = Vec::new();
        for Bound { spec, component } in policies {
            let (Mode::Strict | Mode::Warn, Ok(component)) = (spec.mode, component) else { continue };
            let wanted = Wanted { component, layer: spec.layer, limits: &spec.limits };
            let Some(slot) = self.runtime.slot(component, spec.layer) else { continue };
            orders.push(Order { slot, wanted, policy: &spec.name });
        }
        let slots = orders.iter().map(|order| Arc::clone(&order.slot)).collect();
        self.runtime.settle_all(&orders);
        orders.retain(|order| self.runtime.is_open(&order.slot, order.wanted));
        // One for each component, whichever policies want it.
        let mut seen: Vec<Arc<Slot>> = Vec::new();
        orders.retain(|order| {
            let is_new = !seen.iter().any(|slot| Arc::ptr_eq(slot, &order.slot));
            seen.push(Arc::clone(&order.slot));
            is_new
        });
        self.runtime.compile_all(&orders, deadline, watch)?;
        Ok(Ahead { _slots: slots })
    }
}

impl Runtime {
    /// Looks for all of them in the store: on all cores when they are many, since each is mapped, checked and taken apart.
    fn settle_all(&self, orders: &[Order<'_>]) {
        cores::share(
            orders,
            || (),
            |(), orders| {
                orders.iter().for_each(|order| self.settle(&order.slot, order.wanted));
            },
        );
    }

    fn compile_all(&self, orders: &[Order<'_>], deadline: Deadline, watch: &mut dyn Progress) -> Result<(), Late> {
        let Some(first) = orders.first() else { return Ok(()) };
        let what = match orders {
            [one] => format!("compiling the policy `{}`", one.policy),
            _ => "compiling policies".to_owned(),
        };
        tracing::info!(policies = orders.len(), first = %first.policy, "there is no compiled code; it is compiled now");
        watch.begin_steps(&what, orders.len());
        let next = AtomicUsize::new(0);
        let work = |done: &mpsc::Sender<()>| {
            while let Some(order) = orders.get(next.fetch_add(1, Ordering::SeqCst)) {
                if deadline.check().is_err() {
                    break;
                }
                // What becomes of it stands in the slot.
                drop(self.code(&order.slot, order.wanted, deadline));
                // Somebody listens until all are done.
                let _ = done.send(());
            }
        };
        thread::scope(|scope| {
            let (done, compiled) = mpsc::channel();
            for _ in 0..self.compiler.at_once().clamp(1, orders.len()) {
                let (done, work) = (done.clone(), &work);
                let started =
                    thread::Builder::new().name("compile".to_owned()).spawn_scoped(scope, move || work(&done));
                if let Err(error) = started {
                    tracing::debug!(%error, "there is no further thread to compile on");
                }
            }
            drop(done);
            loop {
                match compiled.recv_timeout(compiling::TICK) {
                    Ok(()) => watch.advance(1),
                    Err(RecvTimeoutError::Timeout) => watch.advance(0),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        watch.end();
        // Those that no thread took are compiled when they are loaded, unless it is too late.
        let missing = orders.iter().find(|order| !matches!(order.slot.get(), Some(Ok(_))));
        match missing.filter(|_| deadline.check().is_err()) {
            Some(order) => Err(Late { policy: order.policy.clone() }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}
