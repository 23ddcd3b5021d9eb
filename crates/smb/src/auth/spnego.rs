//! SPNEGO tokens (RFC 4178 4.2, [MS-SPNG] 2.2.1).

use super::{
    Error,
    der::{self, Reader, context},
};

/// An object identifier's content bytes.
pub(super) type Oid = [u8];

/// 1.3.6.1.5.5.2
const SPNEGO: &Oid = &[0x2B, 6, 1, 5, 5, 2];
/// 1.3.6.1.4.1.311.2.2.10
pub(super) const NTLMSSP: &Oid = &[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
/// 1.2.840.113554.1.2.2
#[cfg(test)]
pub(super) const KERBEROS: &Oid = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 1, 2, 2];

/// hintName of a NegTokenInit2 ([MS-SPNG] 2.2.1): tells that it names no principal.
const HINT_NAME: &[u8] = b"not_defined_in_RFC4178@please_ignore";

/// Mechanisms one token may list. Real clients offer up to six.
pub(super) const MAX_MECH_TYPES: usize = 32;

/// negState (RFC 4178 4.2.2). Open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NegState(pub(super) u8);

impl NegState {
    pub(super) const ACCEPT_COMPLETED: Self = Self(0);
    pub(super) const ACCEPT_INCOMPLETE: Self = Self(1);
    pub(super) const REJECT: Self = Self(2);
    pub(super) const REQUEST_MIC: Self = Self(3);
}

/// NegTokenInit or, from a server, NegTokenInit2, without the hints.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct NegTokenInit<'a> {
    /// In the initiator's order of preference.
    pub(super) mech_types: Vec<&'a Oid>,
    /// The DER of MechTypeList, which mechListMIC covers, byte by byte as it came.
    pub(super) mech_type_list: &'a [u8],
    pub(super) mech_token: Option<&'a [u8]>,
    pub(super) mech_list_mic: Option<&'a [u8]>,
}

/// NegTokenResp.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct NegTokenResp<'a> {
    pub(super) neg_state: Option<NegState>,
    pub(super) supported_mech: Option<&'a Oid>,
    pub(super) response_token: Option<&'a [u8]>,
    pub(super) mech_list_mic: Option<&'a [u8]>,
}

/// What a security buffer can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NegotiationToken<'a> {
    Init(NegTokenInit<'a>),
    Resp(NegTokenResp<'a>),
}

impl<'a> NegotiationToken<'a> {
    pub(super) fn read(token: &'a [u8]) -> Result<Self, Error> {
        let outer = Reader::new(token).next()?.ok_or(Error::Der)?;
        match outer.tag {
            der::APPLICATION_0 => {
                let mut inner = Reader::new(outer.content);
                if inner.expect(der::OBJECT_IDENTIFIER)?.content != SPNEGO {
                    return Err(Error::Mechanism);
                }
                let init = inner.expect(context(0))?;
                NegTokenInit::read(init.content).map(Self::Init)
            }
            tag if tag == context(0) => NegTokenInit::read(outer.content).map(Self::Init),
            tag if tag == context(1) => NegTokenResp::read(outer.content).map(Self::Resp),
            _ => Err(Error::Der),
        }
    }
}

impl<'a> NegTokenInit<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Error> {
        let sequence = Reader::new(content).expect(der::SEQUENCE)?;
        let mut fields = Reader::new(sequence.content);
        let mut init = Self::default();
        while let Some(field) = fields.next()? {
            let mut value = Reader::new(field.content);
            match field.tag {
                0xA0 => {
                    let list = value.expect(der::SEQUENCE)?;
                    init.mech_type_list = list.encoded;
                    init.mech_types = read_mech_types(list.content)?;
                }
                0xA2 => init.mech_token = Some(value.expect(der::OCTET_STRING)?.content),
                // [3] is mechListMIC from a client but the hints (a SEQUENCE) from a
                // server, whose mechListMIC is [4].
                0xA3 | 0xA4 => {
                    if let Some(element) = value.next()?
                        && element.tag == der::OCTET_STRING
                    {
                        init.mech_list_mic = Some(element.content);
                    }
                }
                // reqFlags [1] decide nothing (RFC 4178 4.2.1).
                _ => {}
            }
        }
        Ok(init)
    }

    /// NegTokenInit of a client in its GSS-API frame. `mech_type_list` as
    /// [`mech_type_list`] makes it.
    pub(super) fn write(mech_type_list: &[u8], mech_token: &[u8]) -> Vec<u8> {
        let mut fields = der::element(context(0), mech_type_list);
        let token = der::element(der::OCTET_STRING, mech_token);
        fields.extend_from_slice(&der::element(context(2), &token));
        frame(&fields)
    }

    /// NegTokenInit2 of a server: its mechanisms and the customary hint.
    pub(super) fn write_hints(mech_type_list: &[u8]) -> Vec<u8> {
        let mut fields = der::element(context(0), mech_type_list);
        let name = der::element(context(0), &der::element(der::GENERAL_STRING, HINT_NAME));
        let hints = der::element(der::SEQUENCE, &name);
        fields.extend_from_slice(&der::element(context(3), &hints));
        frame(&fields)
    }
}

impl<'a> NegTokenResp<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Error> {
        let sequence = Reader::new(content).expect(der::SEQUENCE)?;
        let mut fields = Reader::new(sequence.content);
        let mut resp = Self::default();
        while let Some(field) = fields.next()? {
            let mut value = Reader::new(field.content);
            match field.tag {
                0xA0 => match value.expect(der::ENUMERATED)?.content {
                    [state] => resp.neg_state = Some(NegState(*state)),
                    _ => return Err(Error::Der),
                },
                0xA1 => {
                    resp.supported_mech = Some(value.expect(der::OBJECT_IDENTIFIER)?.content);
                }
                0xA2 => resp.response_token = Some(value.expect(der::OCTET_STRING)?.content),
                0xA3 => resp.mech_list_mic = Some(value.expect(der::OCTET_STRING)?.content),
                _ => {}
            }
        }
        Ok(resp)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut field = |number, tag, content: &[u8]| {
            let value = der::element(tag, content);
            fields.extend_from_slice(&der::element(context(number), &value));
        };
        if let Some(NegState(state)) = self.neg_state {
            field(0, der::ENUMERATED, &[state]);
        }
        if let Some(oid) = self.supported_mech {
            field(1, der::OBJECT_IDENTIFIER, oid);
        }
        if let Some(token) = self.response_token {
            field(2, der::OCTET_STRING, token);
        }
        if let Some(mic) = self.mech_list_mic {
            field(3, der::OCTET_STRING, mic);
        }
        der::element(context(1), &der::element(der::SEQUENCE, &fields))
    }
}

/// The DER of a MechTypeList.
pub(super) fn mech_type_list(mech_types: &[&Oid]) -> Vec<u8> {
    let mut oids = Vec::new();
    for oid in mech_types {
        oids.extend_from_slice(&der::element(der::OBJECT_IDENTIFIER, oid));
    }
    der::element(der::SEQUENCE, &oids)
}

fn read_mech_types(content: &[u8]) -> Result<Vec<&Oid>, Error> {
    let mut oids = Reader::new(content);
    let mut mech_types = Vec::new();
    while let Some(element) = oids.next()? {
        if element.tag != der::OBJECT_IDENTIFIER || mech_types.len() == MAX_MECH_TYPES {
            return Err(Error::Der);
        }
        mech_types.push(element.content);
    }
    Ok(mech_types)
}

/// InitialContextToken (RFC 2743 3.1) around the fields of a NegTokenInit.
fn frame(fields: &[u8]) -> Vec<u8> {
    let mut content = der::element(der::OBJECT_IDENTIFIER, SPNEGO);
    let sequence = der::element(der::SEQUENCE, fields);
    content.extend_from_slice(&der::element(context(0), &sequence));
    der::element(der::APPLICATION_0, &content)
}
