//! What srvsvc tells beside sessions: open files, the server itself, its shares.

use srvsvc::{
    FileCloseRequest, FileEnumRequest, FileEnumResponse, FileInfo, NetApiStatus,
    ServerGetInfoRequest, ServerGetInfoResponse, ServerInfo, ShareEnumRequest, ShareEnumResponse,
    ShareInfo, opnum,
};

use crate::name::given;
use crate::progress::Progress;
use crate::{Error, Server};

/// FILE_INFO_3: the level of files that tells all.
const FILE_LEVEL: u32 = 3;

impl Server {
    /// The files and pipes open on the server (NetFileEnum at level 3): those whose path
    /// begins with `base_path`, and those that `user`, or the computer `\\name`, has opened.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused), [`AccessDenied`](crate::ErrorKind::AccessDenied),
    /// [`NoSuchSession`](crate::ErrorKind::NoSuchSession) if nobody of that name is there, and those of the
    /// connection.
    pub async fn files(
        &mut self,
        base_path: Option<&str>,
        user: Option<&str>,
    ) -> Result<Vec<FileInfo>, Error> {
        let tried = format!("listing the open files of {}", self.target());
        let mut files = Vec::new();
        let mut progress = Progress::default();
        while !progress.done {
            let request = FileEnumRequest {
                server_name: self.target().server_name(),
                base_path: given(base_path).map(str::to_owned),
                user_name: given(user).map(str::to_owned),
                level: FILE_LEVEL,
                prefered_maximum_length: self.options().page_bytes,
                resume_handle: Some(progress.resume_handle),
            };
            let syntax = self.syntax();
            let stub = self
                .call_as(opnum::NETR_FILE_ENUM, request.write(syntax), &tried)
                .await?;
            let response = FileEnumResponse::read(syntax, &stub)
                .map_err(|error| self.malformed(&tried, &error))?;
            let page = progress.take(response, stub.len(), &tried);
            files.extend(page.map_err(|error| self.placed(error))?);
        }
        Ok(files)
    }

    /// Closes an open file or pipe (NetFileClose). What the client still holds in memory is
    /// lost.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused) with 2314 if no open file has that number,
    /// [`AccessDenied`](crate::ErrorKind::AccessDenied), and those of the connection.
    pub async fn close_file(&mut self, id: u32) -> Result<(), Error> {
        let tried = format!("closing the open file {id} of {}", self.target());
        let request = FileCloseRequest {
            server_name: self.target().server_name(),
            file_id: id,
        };
        let syntax = self.syntax();
        let stub = self
            .call_as(opnum::NETR_FILE_CLOSE, request.write(syntax), &tried)
            .await?;
        self.result(tried, &stub)
    }

    /// What the server says of itself (NetrServerGetInfo), level 100, 101 or 102.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused), [`AccessDenied`](crate::ErrorKind::AccessDenied) and those of the connection.
    pub async fn server_info(&mut self, level: u32) -> Result<ServerInfo, Error> {
        let tried = format!("asking {} about itself", self.target());
        let syntax = self.syntax();
        let request = ServerGetInfoRequest {
            server_name: self.target().server_name(),
            level,
        };
        let stub = self
            .call_as(opnum::NETR_SERVER_GET_INFO, request.write(syntax), &tried)
            .await?;
        let response: ServerGetInfoResponse = ServerGetInfoResponse::read(syntax, level, &stub)
            .map_err(|error| self.malformed(&tried, &error))?;
        match (response.result, response.info) {
            (NetApiStatus::SUCCESS, Some(info)) => Ok(info),
            (NetApiStatus::SUCCESS, None) => Err(self.placed(Error::protocol(
                tried,
                "success without information".to_owned(),
            ))),
            (result, _) => Err(self.refused(tried, result)),
        }
    }

    /// The shares (NetrShareEnum), level 0, 1, 2, 501 or 502.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused), [`AccessDenied`](crate::ErrorKind::AccessDenied) and those of the connection.
    pub async fn shares(&mut self, level: u32) -> Result<Vec<ShareInfo>, Error> {
        let tried = format!("listing the shares of {}", self.target());
        let syntax = self.syntax();
        let mut shares = Vec::new();
        let mut progress = Progress::default();
        while !progress.done {
            let request = ShareEnumRequest {
                server_name: self.target().server_name(),
                level,
                prefered_maximum_length: self.options().page_bytes,
                resume_handle: Some(progress.resume_handle),
            };
            let stub = self
                .call_as(opnum::NETR_SHARE_ENUM, request.write(syntax), &tried)
                .await?;
            let response = ShareEnumResponse::read(syntax, &stub)
                .map_err(|error| self.malformed(&tried, &error))?;
            let page = progress.take(response, stub.len(), &tried);
            shares.extend(page.map_err(|error| self.placed(error))?);
        }
        Ok(shares)
    }
}
