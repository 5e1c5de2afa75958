/** Where a reflector is asked about itself if nobody says otherwise: HTTPS's port, because branches let it out. */
export const CONTROL_PORT = 443;
