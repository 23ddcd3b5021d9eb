mod churn;
mod fake;
mod neighbours;
mod pipe;
mod session;

use std::sync::Arc;

use server::account::{
    SID_ADMINISTRATORS, SID_AUTHENTICATED_USERS, SID_NETWORK, SID_SERVER_OPERATORS, SecurityContext,
};
use server::application::{Administrator, Ending, Reason, SessionGlobalId};
use srvsvc::{SessionDelRequest, SessionEnumRequest, SessionEnumResponse, opnum};

use super::endpoint::Endpoint;
use fake::Fake;
use rpc::Syntax;
use rpc::Syntax::{Ndr20, Ndr64};

const BOTH: [Syntax; 2] = [Ndr20, Ndr64];

fn user(groups: &[&str]) -> Arc<SecurityContext> {
    let groups = [SID_AUTHENTICATED_USERS, SID_NETWORK].iter().chain(groups);
    Arc::new(SecurityContext {
        user_name: Arc::from("caller"),
        domain: Arc::from("SRV"),
        groups: groups.map(|&sid| Arc::from(sid)).collect(),
        is_guest: false,
        is_anonymous: false,
    })
}

fn endpoint(fake: &Fake, security_context: Arc<SecurityContext>) -> Endpoint {
    Endpoint {
        session: Some(SessionGlobalId(1)),
        security_context,
        client_name: Arc::from("192.0.2.1"),
        administration: Arc::new(fake.clone()),
        close_after_reply: Vec::new(),
    }
}

/// The caller has ended the session it calls over.
fn own_ending() -> Ending {
    Ending {
        session: SessionGlobalId(1),
        reason: Reason::Administrator(Administrator {
            user_name: Arc::from("caller"),
            client_name: Arc::from("192.0.2.1"),
        }),
    }
}

/// The caller's session has id 1.
fn admin(fake: &Fake) -> Endpoint {
    endpoint(fake, user(&[SID_ADMINISTRATORS]))
}

fn operator(fake: &Fake) -> Endpoint {
    endpoint(fake, user(&[SID_SERVER_OPERATORS]))
}

fn ordinary(fake: &Fake) -> Endpoint {
    endpoint(fake, user(&[]))
}

fn request(level: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        server_name: Some(r"\\srv".to_owned()),
        client_name: None,
        user_name: None,
        level,
        prefered_maximum_length: u32::MAX,
        resume_handle: Some(0),
    }
}

fn enumerate(endpoint: &mut Endpoint, request: &SessionEnumRequest) -> SessionEnumResponse {
    let stub = endpoint
        .call(opnum::NETR_SESSION_ENUM, Ndr20, &request.write(Ndr20))
        .unwrap();
    SessionEnumResponse::read(Ndr20, &stub).unwrap()
}

fn delete(endpoint: &mut Endpoint, client: Option<&str>, user: Option<&str>) -> u32 {
    let request = SessionDelRequest {
        server_name: None,
        client_name: client.map(str::to_owned),
        user_name: user.map(str::to_owned),
    };
    let stub = endpoint
        .call(opnum::NETR_SESSION_DEL, Ndr20, &request.write(Ndr20))
        .unwrap();
    srvsvc::read_result(Ndr20, &stub).unwrap().0
}
