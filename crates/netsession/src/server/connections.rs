//! Who uses a share, or what a computer uses.

use srvsvc::{ConnectionEnumRequest, ConnectionEnumResponse, ConnectionInfo, opnum};

use super::Server;
use crate::Error;
use crate::progress::Progress;

/// CONNECTION_INFO_1: the level of connections that tells all.
const CONNECTION_LEVEL: u32 = 1;

impl Server {
    /// The connections to shares (NetConnectionEnum at level 1): those of the share that
    /// `qualifier` names, or those of a computer, written `\\name`. A server may know only
    /// one of the two; Samba does.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Refused`] with 2310 if there is no such share,
    /// [`crate::ErrorKind::AccessDenied`], and those of the connection.
    pub async fn connections(&mut self, qualifier: &str) -> Result<Vec<ConnectionInfo>, Error> {
        let tried = format!("listing the connections of {qualifier} at {}", self.target);
        let mut connections = Vec::new();
        let mut progress = Progress::default();
        while !progress.done {
            let request = ConnectionEnumRequest {
                server_name: self.target.server_name(),
                qualifier: Some(qualifier.to_owned()),
                level: CONNECTION_LEVEL,
                prefered_maximum_length: self.options.page_bytes,
                resume_handle: Some(progress.resume_handle),
            };
            let syntax = self.pipe.syntax();
            let stub = self
                .call_as(opnum::NETR_CONNECTION_ENUM, request.write(syntax), &tried)
                .await?;
            let response = ConnectionEnumResponse::read(syntax, &stub)
                .map_err(|error| self.malformed(&tried, &error))?;
            let page = progress.take(response, stub.len(), &tried);
            connections.extend(page.map_err(|error| self.placed(error))?);
        }
        Ok(connections)
    }
}
