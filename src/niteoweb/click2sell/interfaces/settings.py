"""Settings of the add-on as a whole and of Click2Sell, in Site Setup."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.fields import line
from niteoweb.click2sell.interfaces.fields import lines
from niteoweb.click2sell.interfaces.fields import number
from niteoweb.click2sell.interfaces.fields import secret
from niteoweb.click2sell.interfaces.fields import switch
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


#: Fewer characters than this draw a warning: the checksum can be attacked offline.
SECRET_KEY_LENGTH = 20

WELCOME_MAIL = SimpleVocabulary(
    [
        SimpleTerm("password", title=_("Mail the password")),
        SimpleTerm("link", title=_("Mail a one-time link to set a password")),
        SimpleTerm("none", title=_("Mail nothing")),
    ]
)

#: The texts of the add-on; while a site keeps them, its buyers get them in the site's language.
WELCOME_SUBJECT = _("welcome_subject", default="Welcome to $site")
WELCOME_TEXT = _(
    "welcome_text",
    default="""\
Hello $name,

thank you for your purchase of $product. You are now a member of $site.

Your login name: $login
$credentials

Log in here: $login_url
Forgot your password? $password_url
Your purchases: $purchases_url
$pages
Questions? Write to $contact.
""",
)


class IClick2SellSettings(Interface):
    """Settings of the add-on, in plone.app.registry; the dotted name is that of 0.4.5."""

    # The registry's names are made of it, and sites have them: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    secretkey = secret(
        title=_("Secret key"),
        description=_(
            "The Secret Key that you chose at Click2Sell under API Settings. Without it no "
            "notification is accepted."
        ),
    )

    previous_secretkey = secret(
        title=_("Previous secret key"),
        description=_(
            "Notifications that are signed with it are accepted, too, while Click2Sell still "
            "uses it. It is filled in by itself when you change the secret key."
        ),
    )

    mapping = lines(
        title=_("Products and groups"),
        description=_(
            "One PRODUCT_ID|GROUP_ID per line: anyone who buys the product joins the group. A "
            "product may stand in several lines. PRODUCT_ID|GROUP_ID|30 gives 30 days of "
            "access for each payment; without a number access does not end by itself. "
            "PRODUCT_ID|GROUP_ID|30|exclusive also ends the buyer's other products. "
            "|title=Gold membership and |order=https://… may follow: your name of the product, "
            "and the page where it is bought. Blank lines and lines that start with # do not "
            "count."
        ),
    )

    buyers_group = line(
        title=_("Group of all buyers"),
        description=_(
            "Every buyer joins this group, whatever the product. It is created if it does not "
            "exist. Leave it empty for no such group."
        ),
        default="click2sell",
    )

    welcome_mail = schema.Choice(
        title=_("Welcome mail"),
        description=_("What a new member is mailed."),
        vocabulary=WELCOME_MAIL,
        default="password",
    )

    welcome_subject = schema.TextLine(
        title=_("Subject of the welcome mail"),
        description=_(
            "Placeholders: $name, $login, $login_url, $product and $site. $$ is a dollar sign."
        ),
        default=str(WELCOME_SUBJECT.default),
    )

    welcome_text = schema.Text(
        title=_("Text of the welcome mail"),
        description=_(
            "Placeholders: those of the subject; $credentials, which becomes the password or "
            "the one-time link; $pages, $purchases_url, $password_url and $contact. $$ is a "
            "dollar sign. While this is the add-on's own text, buyers get it in the language "
            "of the site."
        ),
        default=str(WELCOME_TEXT.default),
    )

    notice_mail = switch(
        title=_("Tell the owners of existing accounts"),
        description=_(
            "When a purchase is connected to an account that this add-on did not create, or "
            "created under another address, the address that paid gets a short notice, without "
            "credentials."
        ),
        default=True,
    )

    reminder_days = number(
        title=_("Remind members before access ends (days)"),
        description=_(
            "This many days before the end of access that does not renew by itself, the "
            'content rules for "Access ends soon" run and the member is sent a reminder. 0 '
            "turns this off."
        ),
        default=0,
        min=0,
        max=365,
    )

    reminder_mail = switch(
        title=_("Mail the reminder"),
        description=_(
            "Switch it off if a content rule of yours mails members before access ends."
        ),
        default=True,
    )

    ended_mail = switch(
        title=_("Mail members when access has ended"),
        description=_(
            "When the time that was paid for is over. Nothing is mailed after a refund. When "
            "you end access by hand you choose whether the member is told."
        ),
    )

    grace_days = number(
        title=_("Days of grace"),
        description=_(
            "How long a subscription continues after the paid period if its renewal does not "
            "arrive. Single sales end on their last day."
        ),
        default=3,
        min=0,
        max=365,
    )

    unmatched_refund_needs_attention = switch(
        title=_("Refunds without a matching purchase: ask me first"),
        description=_(
            "A refund that names no known payment undoes the latest purchase of its product. "
            "With this set it waits for your decision instead."
        ),
    )

    sweep_minutes = number(
        title=_("Minutes between automatic checks"),
        description=_(
            "An automatic check ends access that is over, and tries again what failed. With 0 "
            "the site does not check by itself: have cron call click2sell-sweep."
        ),
        default=10,
        min=0,
        max=1440,
    )

    breaker_members = number(
        title=_("Stop if more than this many members would lose access at once"),
        description=_(
            "If more than this many members would lose access in one automatic check, it stops "
            "and asks you first. Fewer than 20 never stop it."
        ),
        default=100,
        min=20,
    )

    breaker_percent = number(
        title=_("The same in percent of all members with access"),
        description=_("Whichever of the two is reached first stops the automatic check."),
        default=10,
        min=1,
        max=100,
    )

    new_accounts_an_hour = number(
        title=_("Maximum number of new accounts in an hour"),
        description=_(
            "If more people than this buy for the first time in an hour, their purchases are "
            "recorded and you are told; the automatic check creates their accounts later, in "
            "order of arrival. Several times the number of your best hour is a good choice. "
            "0 is no limit."
        ),
        default=0,
        min=0,
    )

    allowed_networks = lines(
        title=_("Networks that may send notifications"),
        description=_(
            "Addresses and networks, such as 192.0.2.7 or 2001:db8::/32, one per line. "
            "Anything from elsewhere is refused, whatever its signature. Leave it empty for "
            "everybody."
        ),
    )

    trusted_proxies = lines(
        title=_("Proxies of this site"),
        description=_(
            "Addresses and networks of proxies in front of the site, one per line. Only these "
            "proxies are trusted when they state in X-Forwarded-For who is behind them."
        ),
    )

    alert_addresses = lines(
        title=_("Send alerts to"),
        description=_(
            "Addresses of those who are mailed when notifications wait for a decision or "
            "failed, when a provider is silent for unusually long, and when an automatic check "
            "stopped. One per line. Leave it empty for the sender address of the site."
        ),
    )

    daily_mail = switch(
        title=_("Daily mail"),
        description=_(
            "Once a day at most, when notifications have failed or wait for a decision that "
            "you were not told of yet. The other mails are sent in any case."
        ),
        default=True,
    )

    retention_days = number(
        title=_("Delete raw notification data after (days)"),
        description=_(
            "After this many days the parameters of a notification, the postal address among "
            "them, are removed from the record. Who bought what, when and for how much "
            "stays. 0 keeps them for ever."
        ),
        default=0,
        min=0,
    )

    site_address = line(
        title=_("Public address of the site"),
        description=_(
            "Used to build the links in mails. A request to any other address means that this "
            "is a copy of the site: then no mail is sent and no access is ended. If you save "
            "this form with the field empty, the address at which you opened the form is "
            "filled in."
        ),
    )
