//! The rules of one layer for one package, ready to judge it again and again.
//!
//! A decision is made once, with all layers together (`lib.rs`). Here one is made again: with other facts, to explain it, or
//! from its record.

use crate::PipelineError;
use crate::Session;
use crate::policies;
use smcp_config::Layer;
use smcp_decide::InForce;
use smcp_decide::Occasion;
use smcp_decide::ToldBy;
use smcp_model::deadline::Deadline;
use smcp_model::decision::StatedDocument;
use smcp_model::exception::Exception;
use smcp_model::facts::Facts;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_policy::PolicySet;
use smcp_policy::request;

/// The rules of one layer for one package.
pub(crate) struct LayerRules<'a> {
    /// Its policies.
    pub(crate) set: &'a PolicySet,
    /// Whose word they are told.
    pub(crate) told: ToldBy,
    /// Whether the layer trusts the registry as far as its exceptions go.
    pub(crate) registry_trusted: bool,
    /// Its exceptions, in their order.
    pub(crate) exceptions: Vec<&'a Exception>,
    /// Where the exception with a number is written.
    pub(crate) place_of: Box<dyn Fn(usize) -> SafeText + 'a>,
}

impl<'a> LayerRules<'a> {
    /// Returns the rules of every layer of a configuration. A layer that goes by signed statements is told those of
    /// `statements`.
    ///
    /// # Errors
    /// Those of loading the policies.
    pub(crate) fn of_session(
        session: &'a Session,
        subject: &Subject,
        statements: &[StatedDocument],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Self>, PipelineError> {
        let sets = session.config().layers().iter().zip(session.policies(&Deadline::none(), progress)?);
        Ok(sets.map(|(layer, set)| Self::of_layer(layer, set, subject, statements)).collect())
    }

    /// Returns the rules of one layer of a configuration.
    pub(crate) fn of_layer(
        layer: &'a Layer,
        set: &'a PolicySet,
        subject: &Subject,
        statements: &[StatedDocument],
    ) -> Self {
        let registry = subject.registry.as_ref();
        let rule = registry.and_then(|registry| layer.statement_rule(registry));
        let stated = rule.map(|_| {
            let own = statements.iter().find(|stated| stated.layer == layer.name());
            own.map_or_else(Facts::untrusted, StatedDocument::facts)
        });
        let told = policies::told_by(layer, subject, stated);
        Self {
            set,
            told,
            registry_trusted: layer.waives_from(registry),
            exceptions: layer.exceptions().collect(),
            place_of: Box::new(|number| layer.exception_place(number)),
        }
    }

    /// Returns the package with the facts that the policies are told.
    pub(crate) fn told(&self, subject: &Subject) -> Subject {
        policies::as_told(&self.told, subject).into_owned()
    }

    /// Evaluates every policy on a package, of which [`told`](Self::told) says what is known.
    pub(crate) fn evaluate(&self, told: &Subject, context: Context) -> Vec<Evaluated> {
        let evaluated = self.set.evaluate(&self.request(told, context));
        evaluated.into_iter().map(|policy| self.waived(policy, told, context)).collect()
    }

    /// Evaluates one policy, by its place in the layer, on many packages.
    pub(crate) fn evaluate_one(&self, place: usize, told: &[Subject], context: Context) -> Vec<Evaluated> {
        let requests: Vec<_> = told.iter().map(|subject| self.request(subject, context)).collect();
        let evaluated = self.set.evaluate_one(place, &requests).into_iter().zip(told);
        evaluated.map(|(policy, subject)| self.waived(policy, subject, context)).collect()
    }

    /// Returns what the policies are asked.
    pub(crate) fn request(&self, told: &Subject, context: Context) -> Request {
        request::build(told, context, self.told != ToldBy::Nothing)
    }

    /// Applies the exceptions of the layer.
    pub(crate) fn waived(&self, policy: Evaluated, subject: &Subject, context: Context) -> Evaluated {
        let Self { registry_trusted, exceptions, place_of, .. } = self;
        let occasion = Occasion { subject, registry_trusted: *registry_trusted, seconds: context.evaluated_at };
        InForce::on(occasion, exceptions.iter().copied()).waive(policy, place_of)
    }
}
