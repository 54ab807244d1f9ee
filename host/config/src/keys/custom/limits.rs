//! The keys of `limits` in an entry of `policy.custom`.

use std::time::Duration;

use crate::form::CountForm;
use crate::form::Parsed;
use crate::form::RefusalReason;
use crate::keys::ConfigKey;
use crate::keys::DURATION;
use crate::keys::Section;
use crate::keys::duration;
use smcp_model::limits::PolicyLimits;
use smcp_model::size::ByteSize;

const LEAST: PolicyLimits = PolicyLimits::LEAST;
const CEILING: PolicyLimits = PolicyLimits::CEILING;

/// What one policy may use.
pub(crate) static SECTION: Section = Section {
    title: "`limits` of a policy",
    keys: &[&TIME, &MEMORY, &MEMORIES, &INSTANCES, &COMPONENT_SIZE, &OUTPUT],
    foreign: &[],
    meant: &[
        ("timeout", "time"),
        ("deadline", "time"),
        ("duration", "time"),
        ("cpu", "time"),
        ("mem", "memory"),
        ("max_memory", "memory"),
        ("memory_count", "memories"),
        ("modules", "instances"),
        ("size", "component_size"),
        ("file_size", "component_size"),
        ("max_output", "output"),
    ],
    free: None,
};

/// `policy.custom[].limits.time`
pub(crate) static TIME: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "time",
    about: "Wall-clock time of all calls for one decision, their start-ups included.",
    default: Some("500ms"),
    required: false,
    form: Parsed {
        allowed: "a duration from 1ms to 10s, such as `100ms`",
        words: &[],
        parse: |text, _| time(text),
        pattern: DURATION,
    },
};

/// `policy.custom[].limits.memory`
pub(crate) static MEMORY: ConfigKey<Parsed<usize>> = ConfigKey {
    name: "memory",
    about: "Linear memory, the sum of all memories of the component.",
    default: Some("32MiB"),
    required: false,
    form: Parsed {
        allowed: "a size from 64KiB to 512MiB, such as `64MiB`",
        words: &[],
        parse: |text, _| size(text, LEAST.memory, CEILING.memory),
        pattern: SIZE,
    },
};

/// `policy.custom[].limits.memories`
pub(crate) static MEMORIES: ConfigKey<CountForm> = ConfigKey {
    name: "memories",
    about: "Linear memories in all parts of the component.",
    default: Some("8"),
    required: false,
    form: CountForm { least: LEAST.memories, most: CEILING.memories },
};

/// `policy.custom[].limits.instances`
pub(crate) static INSTANCES: ConfigKey<CountForm> = ConfigKey {
    name: "instances",
    about: "Core instances in all parts of the component.",
    default: Some("64"),
    required: false,
    form: CountForm { least: LEAST.instances, most: CEILING.instances },
};

/// `policy.custom[].limits.component_size`
pub(crate) static COMPONENT_SIZE: ConfigKey<Parsed<usize>> = ConfigKey {
    name: "component_size",
    about: "The component's file.",
    default: Some("32MiB"),
    required: false,
    form: Parsed {
        allowed: "a size above zero and at most 64MiB, such as `32MiB`",
        words: &[],
        parse: |text, _| size(text, LEAST.component_size, CEILING.component_size),
        pattern: SIZE,
    },
};

/// `policy.custom[].limits.output`
pub(crate) static OUTPUT: ConfigKey<Parsed<usize>> = ConfigKey {
    name: "output",
    about: "What the component hands over when it is evaluated.",
    default: Some("1MiB"),
    required: false,
    form: Parsed {
        allowed: "a size above zero and at most 8MiB, such as `1MiB`",
        words: &[],
        parse: |text, _| size(text, LEAST.output, CEILING.output),
        pattern: SIZE,
    },
};

const SIZE: &str = "^\\s*[0-9]+\\s*([kKmMgG]([iI])?)?[bB]\\s*$";

fn time(text: &str) -> Result<Duration, RefusalReason> {
    duration(text, CEILING.time).and_then(|time| if time < LEAST.time { Err(None) } else { Ok(time) })
}

/// Reads a number of bytes with its unit, from `least` to `most`.
fn size(text: &str, least: usize, most: usize) -> Result<usize, RefusalReason> {
    let bytes = text.parse().ok().and_then(|ByteSize(bytes)| usize::try_from(bytes).ok());
    bytes.filter(|bytes| (least..=most).contains(bytes)).ok_or(None)
}
