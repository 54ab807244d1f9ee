//! What the kernel is told of a new network, as bytes for a netlink socket.

/// `RTM_NEWLINK`, `RTM_NEWROUTE`
const NEW_LINK: u16 = 16;
const NEW_ROUTE: u16 = 24;
/// `NLM_F_REQUEST | NLM_F_ACK`
const ANSWERED: u16 = 0x1 | 0x4;
/// `NLM_F_EXCL | NLM_F_CREATE`
const NEW: u16 = 0x200 | 0x400;
/// The loopback is the first interface of every network.
const LOOPBACK: u32 = 1;
/// `IFF_UP`
const UP: u32 = 1;
/// `AF_INET`, `AF_INET6`
const FAMILIES: [u8; 2] = [2, 10];
/// `RT_TABLE_LOCAL`, `RTPROT_STATIC`, `RT_SCOPE_HOST`, `RTN_LOCAL`
const LOCAL_ROUTE: [u8; 4] = [255, 4, 254, 2];
/// `RTA_OIF`
const OUTPUT: u16 = 4;
/// The bytes of a message before its body.
const HEAD: usize = 16;

/// The loopback up, and all addresses local to it: the old kind, and the new one, which a kernel may lack.
pub(super) fn all() -> [Vec<u8>; 3] {
    let mut link = vec![0, 0, 0, 0];
    link.extend([LOOPBACK, UP, UP].into_iter().flat_map(u32::to_ne_bytes));
    let [four, six] = FAMILIES.map(|family| {
        // The length of the prefix is 0: every address.
        let mut route = vec![family, 0, 0, 0];
        route.extend(LOCAL_ROUTE);
        route.extend(0_u32.to_ne_bytes());
        route.extend([8, OUTPUT].into_iter().flat_map(u16::to_ne_bytes));
        route.extend(LOOPBACK.to_ne_bytes());
        message(NEW_ROUTE, ANSWERED | NEW, &route)
    });
    [message(NEW_LINK, ANSWERED, &link), four, six]
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEAD + body.len()).unwrap_or_default();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend([kind, flags].into_iter().flat_map(u16::to_ne_bytes));
    // A number of the message, and of the sender: there is one of each.
    message.extend([0; 8]);
    message.extend_from_slice(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_its_length() {
        for (message, length) in all().iter().zip([32_u32, 36, 36]) {
            assert_eq!((message.len(), &message[..4]), (length as usize, length.to_ne_bytes().as_slice()));
        }
    }
}
