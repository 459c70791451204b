(** * Rounds of full refills

    All output lengths are equal, so all requests of a round depart together and every round starts
    with a full refill of what still waits.  Within a round all requests grow alike, and the
    imbalance stays what it was at the admission.

    Claim: [warmup.bfio-upper]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Refill Departures.
Import ListNotations.
Open Scope Z_scope.

(** Imbalances of rounds of optimal admissions, whichever of them is taken in every round. *)
Inductive exact_rounds (G B : nat) : list Z -> list Z -> Prop :=
  | no_round : forall pool, exact_rounds G B pool []
  | next_round : forall pool groups waiting rounds,
      optimal (full_refill G B pool) groups -> Permutation (concat groups ++ waiting) pool ->
      exact_rounds G B waiting rounds ->
      exact_rounds G B pool (cost (full_refill G B pool) groups :: rounds).

(** Imbalances of the first [R] rounds of first come, first served. *)
Fixpoint fcfs_rounds (G B R : nat) (pool : list Z) : list Z :=
  match R with
  | O => []
  | S r => let s := full_refill G B pool in
      cost s (fcfs s) :: fcfs_rounds G B r (skipn (G * B) pool)
  end.

Lemma fcfs_rounds_length : forall G B R pool, length (fcfs_rounds G B R pool) = R.
Proof. induction R; intros; simpl; [reflexivity|]. now rewrite IHR. Qed.

(** [warmup.bfio-upper]: with sizes in [a, b] and enough waiting for all rounds, every round of
    optimal admissions has an imbalance of at most [(G - 1) (b - a) <= (G - 1) b], which a pool of
    exactly [G B], one [b] and [G B - 1] times [a], attains; and growth of all requests by the same
    amount does not change the imbalance of a round. *)
Theorem warmup_bfio_upper : forall G B a b, (1 <= G)%nat -> 0 <= a <= b ->
  (forall pool rounds, exact_rounds G B pool rounds ->
     (length rounds * (G * B) <= length pool)%nat ->
     Forall (fun size => a <= size <= b) pool ->
     Forall (fun v => 0 <= v <= full_refill_bound (Z.of_nat G) a b) rounds) /\
  full_refill_bound (Z.of_nat G) a b <= (Z.of_nat G - 1) * b /\
  (forall pool groups growth, admits (full_refill G B pool) groups ->
     imbalance (map (Z.add growth) (after (full_refill G B pool) groups))
     = cost (full_refill G B pool) groups) /\
  ((1 <= B)%nat -> optimum (full_refill G B (full_refill_extremal G B a b))
                     (full_refill_bound (Z.of_nat G) a b)).
Proof.
  intros G B a b g [a0 ab]. split; [|split; [|split]].
  - intros pool rounds E. induction E as [|pool groups waiting rounds O P E IH]; intros L S;
      [constructor|]. simpl in L. constructor.
    + split; [apply imbalance_nonnegative|].
      destruct (step_full_refill_gap G B a b pool g ab) as [_ U]; [split; [lia|exact S]|].
      apply U. exists groups. now split.
    + apply IH.
      * apply Permutation_length in P. rewrite app_length in P. destruct O as [(_ & N & _) _].
        unfold admissions in N. simpl in N. rewrite list_sum_repeat in N. lia.
      * apply (Permutation_Forall (Permutation_sym P)) in S. now apply Forall_app in S.
  - unfold full_refill_bound. nia.
  - intros. apply imbalance_of_all_grown.
  - intros n. now apply (step_full_refill_tight G B a b g n ab).
Qed.
