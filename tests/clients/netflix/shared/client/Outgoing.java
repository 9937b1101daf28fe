package client;

import java.net.URI;

/** A request that is about to be sent, as every version of Jersey has it. */
interface Outgoing {
    URI uri();

    void setHeader(String name, String value);

    /** What a Jersey client filter is made of. */
    interface Filter {
        void filter(Outgoing request);
    }
}
