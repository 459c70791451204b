(** * A lower bound on every step from prefix sums

    Claim: [step.lower-bound]. *)

From Coq Require Import ZArith List Lia Permutation Sorted.
From evenkeel Require Import Loads Step.
Import ListNotations.
Open Scope Z_scope.

Fixpoint insert (x : Z) (xs : list Z) : list Z :=
  match xs with
  | [] => [x]
  | y :: rest => if x <=? y then x :: xs else y :: insert x rest
  end.

Definition ascending (xs : list Z) : list Z := fold_right insert [] xs.

(** Sums of the [k] smallest and of the [k] largest sizes (of all, if there are fewer). *)
Definition S_min (k : nat) (sizes : list Z) : Z := sum (firstn k (ascending sizes)).
Definition S_max (k : nat) (sizes : list Z) : Z :=
  sum (skipn (length sizes - k) (ascending sizes)).

Definition ceiling (x n : Z) : Z := - ((- x) / n).

(** Slots that stay empty. *)
Definition spare (s : step) : nat := (list_sum (free s) - admissions s)%nat.

(** [LB = max (max_g (l_g + S_min (c_g - K)), ceiling ((sum l + S_min U) / G))]. *)
Definition least_maximum (s : step) : Z :=
  Z.max
    (largest (map (fun worker => fst worker + S_min (snd worker - spare s) (pool s))
                  (combine (loads s) (free s))))
    (ceiling (sum (loads s) + S_min (admissions s) (pool s)) (Z.of_nat (length (loads s)))).

(** [sum_g (LB - l_g - S_max c_g)^+]. *)
Definition lower_bound (s : step) : Z :=
  sum (map (fun worker => Z.max 0 (least_maximum s - fst worker - S_max (snd worker) (pool s)))
           (combine (loads s) (free s))).

(** ** Sorting *)

Lemma insert_permutation : forall x xs, Permutation (x :: xs) (insert x xs).
Proof.
  induction xs as [|y ys IH]; simpl; [auto|]. destruct (x <=? y); [auto|].
  rewrite perm_swap. now constructor.
Qed.

Lemma ascending_permutation : forall xs, Permutation xs (ascending xs).
Proof.
  induction xs as [|x xs IH]; simpl; [auto|]. rewrite <- insert_permutation. now constructor.
Qed.

Lemma insert_sorted : forall x xs, StronglySorted Z.le xs -> StronglySorted Z.le (insert x xs).
Proof.
  induction 1 as [|y ys S IH F]; simpl; [repeat constructor|].
  destruct (Z.leb_spec x y).
  - constructor; [now constructor|]. constructor; [lia|].
    eapply Forall_impl; [|exact F]. simpl. lia.
  - constructor; [exact IH|]. apply (Permutation_Forall (insert_permutation x ys)).
    constructor; [lia|exact F].
Qed.

Lemma ascending_sorted : forall xs, StronglySorted Z.le (ascending xs).
Proof. induction xs; simpl; [constructor|]. now apply insert_sorted. Qed.

(** ** Sums of parts of a pool *)

Lemma least_sum : forall sorted part rest, StronglySorted Z.le sorted ->
  Permutation (part ++ rest) sorted -> sum (firstn (length part) sorted) <= sum part.
Proof.
  intros sorted part rest S. revert part rest. induction S as [|z zs S IH F]; intros part rest P.
  - apply Permutation_sym, Permutation_nil, app_eq_nil in P. destruct P as [-> _]. simpl. lia.
  - destruct part as [|x xs]; [simpl; lia|].
    assert (I : In z ((x :: xs) ++ rest)).
    { eapply Permutation_in; [apply Permutation_sym; exact P|now left]. }
    apply in_app_or in I. destruct I as [I|I].
    + apply in_split in I. destruct I as (l & r & E). rewrite E in *.
      assert (Q : Permutation ((l ++ r) ++ rest) zs).
      { apply Permutation_sym. apply Permutation_cons_inv with (a := z).
        rewrite <- P, <- !app_assoc. simpl. symmetry. apply Permutation_middle. }
      apply IH in Q. rewrite app_length in *. simpl. rewrite Nat.add_succ_r. simpl.
      rewrite sum_app in *. simpl. lia.
    + apply in_split in I. destruct I as (l & r & ->).
      assert (z <= x).
      { assert (In x (z :: zs)) as [<-|J]; [|lia|].
        - eapply Permutation_in; [exact P|now left].
        - rewrite Forall_forall in F. auto. }
      assert (Q : Permutation (xs ++ x :: l ++ r) zs).
      { apply Permutation_sym. apply Permutation_cons_inv with (a := z).
        rewrite <- P. rewrite <- (Permutation_middle xs). simpl.
        rewrite app_assoc, <- Permutation_middle, <- app_assoc. apply perm_swap. }
      apply IH in Q. simpl. lia.
Qed.

Lemma sum_firstn_skipn : forall k xs, sum (firstn k xs) + sum (skipn k xs) = sum xs.
Proof. intros. rewrite <- sum_app. now rewrite firstn_skipn. Qed.

Lemma firstn_monotone : forall xs j k, Forall (fun x => 0 <= x) xs -> (j <= k)%nat ->
  sum (firstn j xs) <= sum (firstn k xs).
Proof.
  intros xs j k F. revert j k. induction F as [|x xs N F IH]; intros [|j] [|k] L;
    simpl; try lia.
  - assert (0 <= sum (firstn k xs)); [|lia]. apply (IH 0%nat k). lia.
  - assert (sum (firstn j xs) <= sum (firstn k xs)); [|lia]. apply IH. lia.
Qed.

Lemma ascending_nonnegative : forall xs,
  Forall (fun x => 0 <= x) xs -> Forall (fun x => 0 <= x) (ascending xs).
Proof. intros xs. apply Permutation_Forall. apply ascending_permutation. Qed.

Lemma at_least_S_min : forall sizes part rest k, Forall (fun x => 0 <= x) sizes ->
  Permutation (part ++ rest) sizes -> (k <= length part)%nat -> S_min k sizes <= sum part.
Proof.
  intros sizes part rest k N P L. unfold S_min.
  apply Z.le_trans with (sum (firstn (length part) (ascending sizes))).
  - apply firstn_monotone; [now apply ascending_nonnegative|exact L].
  - apply least_sum with rest; [apply ascending_sorted|]. rewrite P. apply ascending_permutation.
Qed.

Lemma at_most_S_max : forall sizes part rest k, Forall (fun x => 0 <= x) sizes ->
  Permutation (part ++ rest) sizes -> (length part <= k)%nat -> sum part <= S_max k sizes.
Proof.
  intros sizes part rest k N P L. unfold S_max.
  assert (Q : Permutation (rest ++ part) sizes) by (rewrite <- P; apply Permutation_app_comm).
  pose proof (Permutation_length Q) as E. rewrite app_length in E.
  pose proof (at_least_S_min sizes rest part (length sizes - k) N Q ltac:(lia)) as H.
  unfold S_min in H.
  pose proof (sum_firstn_skipn (length sizes - k) (ascending sizes)) as T.
  rewrite <- (sum_permutation _ _ (ascending_permutation sizes)) in T.
  rewrite <- (sum_permutation _ _ P), sum_app in T. lia.
Qed.

(** ** Forced requests *)

(** The other workers take at most what they have room for. *)
Lemma forced : forall slots (groups : list (list Z)),
  Forall2 (fun c group => (length group <= c)%nat) slots groups ->
  (length (concat groups) <= list_sum slots)%nat /\
  Forall2 (fun c group => (c - (list_sum slots - length (concat groups)) <= length group)%nat)
    slots groups.
Proof.
  intros slots groups F.
  assert (T : forall cs gs, Forall2 (fun c group => (length group <= c)%nat) cs gs ->
    (length (concat (gs : list (list Z))) <= list_sum cs)%nat).
  { induction 1; simpl; rewrite ?app_length; lia. }
  split; [now apply T|].
  assert (H : forall cs gs, Forall2 (fun c group => (length group <= c)%nat) cs gs ->
    forall j, Forall2 (fun c (group : list Z) =>
      (c - (list_sum cs + j - length (concat gs)) <= length group)%nat) cs gs).
  { induction 1 as [|c g cs gs L F' IH]; intros j; constructor.
    - simpl. rewrite app_length. pose proof (T _ _ F'). unfold list_sum in *. lia.
    - specialize (IH (c - length g + j)%nat). pose proof (T _ _ F').
      clear - IH L H. revert IH. simpl. rewrite app_length.
      replace (list_sum cs + (c - length g + j) - length (concat gs))%nat
        with (c + fold_right Nat.add 0 cs + j - (length g + length (concat gs)))%nat
        by (unfold list_sum in *; lia). auto. }
  specialize (H _ _ F 0%nat). now rewrite Nat.add_0_r in H.
Qed.

Lemma group_of_pool : forall s groups group, admits s groups -> In group groups ->
  exists rest, Permutation (group ++ rest) (pool s).
Proof.
  intros s groups group (_ & _ & rest & P) I. apply in_split in I. destruct I as (l & r & ->).
  exists (concat l ++ concat r ++ rest). rewrite <- P, concat_app. simpl.
  rewrite <- !app_assoc. rewrite app_assoc, (Permutation_app_comm group), <- app_assoc. reflexivity.
Qed.

Lemma Forall2_conj : forall A B (P Q : A -> B -> Prop) xs ys,
  Forall2 P xs ys -> Forall2 Q xs ys -> Forall2 (fun x y => P x y /\ Q x y) xs ys.
Proof. induction 1; intros H'; inversion H'; subst; constructor; auto. Qed.

(** Every worker's load: at least what it is forced to take, at most the largest it can take. *)
Lemma loads_within : forall s groups, well_formed s -> Forall (fun x => 0 <= x) (pool s) ->
  admits s groups ->
  Forall2 (fun worker load =>
    fst worker + S_min (snd worker - spare s) (pool s) <= load
    <= fst worker + S_max (snd worker) (pool s))
    (combine (loads s) (free s)) (after s groups).
Proof.
  intros s groups [_ W] N A.
  assert (F : Forall2 (fun c group => S_min (c - spare s) (pool s) <= sum group
    <= S_max c (pool s)) (free s) groups).
  { pose proof A as (F & U & _). destruct (forced _ _ F) as [_ G]. rewrite U in G.
    pose proof (Forall2_conj _ _ _ _ _ _ F G) as H.
    assert (P : Forall (fun group => exists rest, Permutation (group ++ rest) (pool s)) groups).
    { apply Forall_forall. intros g I. now apply group_of_pool with groups. }
    clear - N H P. induction H as [|c g cs gs [L M] F IH]; inversion P as [|? ? (rest & Q) P'];
      subst; constructor; auto. split.
    - now apply at_least_S_min with rest.
    - now apply at_most_S_max with rest. }
  apply after_each with (before := loads s) in F; [|exact W]. unfold after.
  clear - F. induction F as [|w load ws ls (g & K & ->) F IH]; constructor; [lia|exact IH].
Qed.

Lemma ceiling_least : forall x n m, 0 < n -> x <= n * m -> ceiling x n <= m.
Proof.
  intros x n m P H. unfold ceiling. assert (- m <= - x / n); [|lia].
  apply Z.div_le_lower_bound; lia.
Qed.

Lemma sum_at_most_largest : forall xs, sum xs <= Z.of_nat (length xs) * largest xs.
Proof. intros. pose proof (imbalance_nonnegative xs). unfold imbalance in *. lia. Qed.

(** ** [step.lower-bound] *)

(** For any pool: every admission has a largest load of at least [LB] and costs at least
    [sum_g (LB - l_g - S_max c_g)^+]; so does an optimal one. *)
Theorem step_lower_bound : forall s, well_formed s -> Forall (fun size => 0 <= size) (pool s) ->
  (forall groups, admits s groups ->
     least_maximum s <= largest (after s groups) /\ lower_bound s <= cost s groups) /\
  (forall v, optimum s v -> lower_bound s <= v).
Proof.
  intros s W N.
  assert (X : forall groups, admits s groups ->
    least_maximum s <= largest (after s groups) /\ lower_bound s <= cost s groups).
  { intros groups A. pose proof (loads_within s groups W N A) as F.
    assert (T : Forall (fun load => load <= largest (after s groups)) (after s groups)).
    { apply Forall_forall. exact (largest_above _). }
    assert (M : least_maximum s <= largest (after s groups)).
    { unfold least_maximum. apply Z.max_lub.
      - apply largest_least.
        + intros E. apply map_eq_nil in E. destruct W as [W L].
          destruct (loads s), (free s); simpl in *; congruence.
        + clear - F T. revert T. generalize (largest (after s groups)) as m. intros m T.
          induction F; inversion T; subst; constructor; auto. lia.
      - pose proof (after_length _ _ W A) as L. apply ceiling_least.
        + destruct W as [W _]. destruct (loads s); simpl length; [congruence|lia].
        + pose proof (sum_at_most_largest (after s groups)) as S. rewrite L in S.
          rewrite after_sum in S by assumption. destruct A as (_ & U & rest & P).
          assert (S_min (admissions s) (pool s) <= sum (concat groups)); [|lia].
          apply at_least_S_min with rest; [exact N|exact P|]. rewrite U. reflexivity. }
    split; [exact M|]. unfold cost. rewrite imbalance_is_the_sum_of_gaps. unfold lower_bound.
    apply sum_Forall2. revert M T. generalize (largest (after s groups)) as m.
    generalize (least_maximum s) as level. intros level m M T.
    induction F; inversion T; subst; constructor; auto. lia. }
  split; [exact X|]. intros v (groups & [A _] & <-). now apply X.
Qed.
