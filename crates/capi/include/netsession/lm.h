/*
 * lm.h - the session functions of the LAN Manager API, for programs written for Windows.
 *
 * Includes the others; see netsession.h for how such a program is compiled here.
 */
#ifndef NETSESSION_LM_H
#define NETSESSION_LM_H

#include "lmcons.h"
#include "lmerr.h"
#include "lmapibuf.h"
#include "lmshare.h"
#include "netsession.h"

#endif
