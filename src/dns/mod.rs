//! One DNS question to one given name server, the answer kept with its header and evidence.
